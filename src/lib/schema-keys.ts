import * as z from 'zod';

/** The keys of the object at `path` in what a schema takes; none if no object is there. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const at = path.reduce<unknown>((outer, key) => {
    const object = bare(outer);
    if (object instanceof z.ZodArray) return object.element;
    return object instanceof z.ZodObject ? object.shape[String(key)] : undefined;
  }, schema);
  const object = bare(at);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

/** The schema without what makes it optional or changes its value. */
function bare(type: unknown): unknown {
  if (type instanceof z.ZodPipe) return bare(type.in);
  const wraps = [z.ZodOptional, z.ZodNullable, z.ZodDefault, z.ZodPrefault] as const;
  return wraps.some((wrap) => type instanceof wrap) ? bare((type as z.ZodOptional).unwrap()) : type;
}
