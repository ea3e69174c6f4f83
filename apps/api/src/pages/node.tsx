/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// A node: its state with who and why, what was approved beside what it reports, tags with who says them, how it is, what it holds.
import type { Device } from '@retraind/shared/gpu/device';
import { displayDuration } from '@retraind/shared/units/duration';
import type { Node, NodeDetail } from '@retraind/shared/wire/node';
import { renderPage } from './layout.tsx';
import { NodeBadge, Replayed, RunsTable } from './lists.tsx';
import { bytesFigure, Digest, Moment } from './words.tsx';

export const nodePage = (node: NodeDetail): string =>
  renderPage({
    title: `Node ${node.name}`,
    trail: [{ name: 'Nodes', href: '/nodes' }],
    children: (
      <>
        <h1>
          {node.name} <code class="faint">{node.nodeId}</code>
        </h1>
        <p>
          <NodeBadge node={node} /> by {node.stateBy || '–'} since <Moment at={node.stateAt} />
          {node.reason && <span class="reason"> {node.reason}</span>}
        </p>
        <Warnings node={node} />
        <Facts node={node} />
        <h2>Devices</h2>
        <Devices node={node} />
        <h2>Tags</h2>
        <Tags node={node} />
        <h2>Vitals</h2>
        <Vitals node={node} />
        <h2>Leases</h2>
        <RunsTable runs={node.runs} />
        <h2>Deeds</h2>
        <Deeds node={node} />
      </>
    ),
  });

const Warnings = ({ node }: { node: Node }) => (
  <>
    {node.inventory?.replayedFrom && (
      <div class="alarm" role="note">
        <strong>Replayed inventory</strong>
        <p>
          These devices are read from the recording <code>{node.inventory.replayedFrom}</code>: the machine
          does not have them.
        </p>
      </div>
    )}
    {node.clockRefusedAt && (
      <div class="alarm" role="note">
        <strong>Refused for its time</strong>
        <p>
          A token made {Math.abs(Math.round(node.clockOffsetSeconds ?? 0))} s{' '}
          {(node.clockOffsetSeconds ?? 0) > 0 ? 'ahead of' : 'behind'} the farm's clock was refused on{' '}
          <Moment at={node.clockRefusedAt} />: the node's clock is wrong, or an old token was sent again.
        </p>
      </div>
    )}
    {node.inventoryFaults.length > 0 && (
      <div class="alarm" role="note">
        <strong>Not what was approved</strong>
        <ul>
          {node.inventoryFaults.map((fault) => (
            <li>{fault}</li>
          ))}
        </ul>
      </div>
    )}
  </>
);

const Facts = ({ node }: { node: Node }) => (
  <dl class="facts">
    <dt>Class</dt>
    <dd>{node.class}</dd>
    <dt>Slots</dt>
    <dd>
      {node.runs.length} of {node.slots} busy
    </dd>
    <dt>Takes runs of</dt>
    <dd>
      {node.longestRunSeconds === null
        ? 'any length'
        : `at most ${displayDuration(node.longestRunSeconds)}, by their declared limit`}
    </dd>
    <dt>Program</dt>
    <dd>
      {node.program ?? 'not told'}
      {node.protocol !== null && `, protocol ${node.protocol}`}
    </dd>
    <dt>Faults in a row</dt>
    <dd>{node.faultsInRow} (three drain it)</dd>
    <dt>Registered</dt>
    <dd>
      <Moment at={node.registeredAt} />
    </dd>
    <dt>Last seen</dt>
    <dd>
      <Moment at={node.seenAt} />
    </dd>
    <dt>Data</dt>
    <dd>
      <a href={node.href}>JSON</a>
    </dd>
  </dl>
);

const sizeOf = (device: Device | undefined): string => (device ? bytesFigure(device.memoryBytes) : '–');

function Devices({ node }: { node: Node }) {
  const { inventory, approvedInventory, newDeviceIds } = node;
  const ids = new Set([
    ...(approvedInventory?.devices ?? []).map(({ deviceId }) => deviceId),
    ...(inventory?.devices ?? []).map(({ deviceId }) => deviceId),
  ]);
  const machine = (of: Node['inventory']) =>
    of === null ? 'nothing' : `${of.cores} cores, ${bytesFigure(of.memoryBytes)} of memory`;
  return (
    <>
      <p>
        Approved: {machine(approvedInventory)}. Reported: {machine(inventory)}.
      </p>
      {ids.size === 0 ? (
        <p class="faint">No devices: runs use the CPU.</p>
      ) : (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Device</th>
                <th scope="col">Architecture</th>
                <th scope="col">Memory approved</th>
                <th scope="col">Memory reported</th>
                <th scope="col">Driver approved</th>
                <th scope="col">Driver reported</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {[...ids].map((id) => {
                const approved = approvedInventory?.devices.find(({ deviceId }) => deviceId === id);
                const reported = inventory?.devices.find(({ deviceId }) => deviceId === id);
                const device = (reported ?? approved)!;
                return (
                  <tr>
                    <td>
                      {device.name} <code class="faint">{id}</code>
                      {device.sliceOf && <div class="faint">slice of {device.sliceOf}</div>}
                      <Replayed from={inventory?.replayedFrom ?? null} />
                    </td>
                    <td>{device.architecture}</td>
                    <td>{sizeOf(approved)}</td>
                    <td>{sizeOf(reported)}</td>
                    <td>{approved ? (approved.driver ?? 'none') : '–'}</td>
                    <td>{reported ? (reported.driver ?? 'none') : '–'}</td>
                    <td>{deviceState(reported, newDeviceIds.includes(id))}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function deviceState(reported: Device | undefined, isNew: boolean): string {
  if (reported === undefined) return 'gone';
  if (reported.faults.length > 0) return `not used: ${reported.faults.join('; ')}`;
  return isNew ? 'not approved, not used' : 'in use';
}

const provenances = { claimed: 'claimed by the node', set: 'set by', probed: 'probed by the farm' };

const Tags = ({ node }: { node: Node }) =>
  node.tags.length === 0 ? (
    <p class="faint">None.</p>
  ) : (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Tag</th>
            <th scope="col">Who says so</th>
            <th scope="col">Since</th>
            <th scope="col">Effect</th>
          </tr>
        </thead>
        <tbody>
          {node.tags.map((tag) => (
            <tr>
              <td>
                <code>{tag.tag}</code>
              </td>
              <td>
                {provenances[tag.provenance]}
                {tag.provenance === 'set' && ` ${tag.by}`}
              </td>
              <td>
                <Moment at={tag.at} />
              </td>
              <td>
                {tag.provenance === 'claimed'
                  ? 'none, until an admin says it too'
                  : tag.mandatory
                    ? 'mandatory: keeps the node for work that asks for it'
                    : 'work may ask for it'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );

function Vitals({ node: { vitals, clockOffsetSeconds } }: { node: Node }) {
  if (vitals === null) return <p class="faint">Not told yet.</p>;
  const { pressure } = vitals;
  const kept = vitals.datasetDigests;
  return (
    <dl class="facts">
      <dt>Load</dt>
      <dd>{vitals.load.toFixed(2)}</dd>
      <dt>Memory free</dt>
      <dd>{bytesFigure(vitals.memoryFreeBytes)}</dd>
      <dt>Pressure, last 10 s</dt>
      <dd>
        {pressure
          ? `CPU ${pressure.cpu} %, memory ${pressure.memory} %, I/O ${pressure.io} %`
          : 'the kernel does not say'}
      </dd>
      <dt>Disk free</dt>
      <dd>
        {bytesFigure(vitals.diskFreeBytes)} of {bytesFigure(vitals.diskBytes)}
      </dd>
      <dt>Clock</dt>
      <dd>
        {clockOffsetSeconds === null
          ? 'not measured'
          : `${clockOffsetSeconds.toFixed(1)} s ${clockOffsetSeconds < 0 ? 'behind' : 'ahead of'} the farm`}
      </dd>
      <dt>Data in cache</dt>
      <dd>
        {kept.length === 0 ? 'none' : `${kept.length} files, the latest used: `}
        {kept.slice(0, 8).map((sha256) => (
          <>
            <Digest sha256={sha256} />{' '}
          </>
        ))}
      </dd>
    </dl>
  );
}

const Deeds = ({ node }: { node: NodeDetail }) =>
  node.deeds.length === 0 ? (
    <p class="faint">None.</p>
  ) : (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Deed</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {node.deeds.map((deed) => (
            <tr>
              <td>
                <Moment at={deed.at} />
              </td>
              <td>{deed.actor}</td>
              <td>{deed.deed}</td>
              <td>{deed.reason || '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
