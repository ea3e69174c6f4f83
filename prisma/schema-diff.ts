// Whether schema.prisma and a migrated database say the same: Prisma's own schema engine in WASM, over adapter-pg. Used by
// the drift test and when a migration is written; the programs never load it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import pg from 'pg';

const require = createRequire(import.meta.url);
const schemaPath = fileURLToPath(new URL('schema.prisma', import.meta.url));

type Exports = Record<string, unknown>;
interface Bindings {
  SchemaEngine: typeof SchemaEngine;
  __wbg_set_wasm(exports: Exports): void;
}
// Node's own global, of which `lib: es2023` and @types/node say nothing.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    compile(bytes: Uint8Array): Promise<object>;
    instantiate(module: object, imports: Record<string, object>): Promise<{ exports: Exports }>;
  };
};

// The package's entry imports the .wasm as a module, which Node does only behind a flag: instantiate it by hand.
// A panic of the engine reports itself to this global.
Object.assign(globalThis, {
  PRISMA_WASM_PANIC_REGISTRY: { set_message: (text: string) => console.error(text) },
});

let loading: Promise<Bindings> | undefined;

/** Once a process: the bindings keep views of one instance's memory. */
const loadEngine = async (): Promise<Bindings> => {
  const bindings = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as unknown as Bindings;
  const path = require
    .resolve('@prisma/schema-engine-wasm')
    .replace(/schema_engine\.js$/, 'schema_engine_bg.wasm');
  const module = await WebAssembly.compile(readFileSync(path));
  const { exports } = await WebAssembly.instantiate(module, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(exports);
  (exports.__wbindgen_start as () => void)();
  return bindings;
};

// Catalog columns of type "char" (oid 18) are unknown to the adapter: it gets them as text, the engine as characters.
const catalogReader = (pool: pg.Pool): SqlMigrationAwareDriverAdapterFactory => {
  const charColumns = new Set<string>();
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<pg.QueryResult>;
  pool.query = (async (...args: unknown[]) => {
    const result = await query(...args);
    for (const field of result.fields) {
      if (field.dataTypeID !== 18) continue;
      field.dataTypeID = 25;
      charColumns.add(field.name);
    }
    return result;
  }) as typeof pool.query;
  const factory = new PrismaPg(pool);
  const connect = async () => {
    const adapter = await factory.connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (sql) => {
      const result = await queryRaw(sql);
      const columnTypes = result.columnTypes.map((type, index) =>
        charColumns.has(result.columnNames[index]!) ? ColumnTypeEnum.Character : type,
      );
      return { ...result, columnTypes };
    };
    return adapter;
  };
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect,
    connectToShadowDb: connect,
  };
};

/** SQL that would bring `from` (nothing, or the database at `url`) to schema.prisma; '-- This is an empty migration.' where they agree. */
export const diffToSchema = async (url: string, from: 'database' | 'empty'): Promise<string> => {
  loading ??= loadEngine();
  const { SchemaEngine } = await loading;
  const pool = new pg.Pool({ connectionString: url });
  const schema = { path: schemaPath, content: readFileSync(schemaPath, 'utf8') };
  const engine = await SchemaEngine.new(
    { datamodels: undefined },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(catalogReader(pool)),
  );
  try {
    const { stdout } = await engine.diff({
      from:
        from === 'empty' ? { tag: 'empty' } : { tag: 'schemaDatasource', files: [schema], configDir: '.' },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: null,
      filters: { externalTables: ['public._prisma_migrations'], externalEnums: [] },
    });
    return stdout ?? '';
  } finally {
    engine.free();
    await pool.end();
  }
};

// As a program: prints the SQL that schema.prisma asks of the database at DATABASE_URL, the draft of a new migration.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const url = process.env.DATABASE_URL;
  if (url) console.log(await diffToSchema(url, 'database'));
  else console.error('DATABASE_URL is not set: give it a migrated database');
  process.exitCode = url ? 0 : 2;
}
