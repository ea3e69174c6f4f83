// The small shapes that resources are made of.
import { type TSchema, Type } from 'typebox';

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** ISO 8601 in UTC. */
export const Time = Type.String({ format: 'date-time' });
export const Text = Type.String();
export const Href = Type.String({ description: 'Path on this server.' });
export const Count = Type.Integer({ minimum: 0 });
export const Fraction = Type.Number({ minimum: 0, maximum: 1 });
