/** The types of answers, made of their schemas: what the web page knows of this interface. */
import type { Described, Reference } from "./schema.ts";
import type { schemas } from "./schemas.ts";

type Schemas = typeof schemas;

type Resolved<T> =
  T extends Reference<infer Name>
    ? Name extends keyof Schemas
      ? Resolved<Described<Schemas[Name]>>
      : never
    : T extends readonly (infer Item)[]
      ? readonly Resolved<Item>[]
      : T extends object
        ? { [Name in keyof T]: Resolved<T[Name]> }
        : T;

/** `Answer<"RunList">`: what a route with this schema answers. */
export type Answer<Name extends keyof Schemas> = Resolved<Described<Schemas[Name]>>;
