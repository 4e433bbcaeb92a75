/**
 * Values of templates as they are after deployment: references, attributes and imports become the names that a test gives
 * its resources. A reference that nothing resolves is an error, as it is in CloudFormation.
 */
import type { Template } from "aws-cdk-lib/assertions";

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** What `Ref` of a resource and its attributes are. */
export interface Deployed {
  readonly ref: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface Deployment {
  readonly stacks: readonly Template[];
  /** By type, or by logical id where a stack has several of a type. undefined = a name that is made up. */
  readonly deployed: (resource: Resource, logicalId: string) => Deployed | undefined;
}

const pseudo: Readonly<Record<string, string>> = {
  "AWS::AccountId": "111111111111",
  "AWS::Region": "us-east-1",
  "AWS::Partition": "aws",
  "AWS::URLSuffix": "amazonaws.com",
};

interface TemplateJson {
  readonly Resources?: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>
  >;
}

export class DeployedStack {
  readonly #template: TemplateJson;
  readonly #deployment: Deployment;

  constructor(template: Template, deployment: Deployment) {
    this.#template = template.toJSON() as TemplateJson;
    this.#deployment = deployment;
  }

  /** Every resource of a type, by logical id. */
  resources(type: string): readonly (readonly [id: string, properties: Readonly<Record<string, unknown>>])[] {
    return Object.entries(this.#template.Resources ?? {})
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]) => [id, this.value(Properties) as Readonly<Record<string, unknown>>]);
  }

  resource(type: string, id: string): Readonly<Record<string, unknown>> {
    const found = this.resources(type).find(([logicalId]) => logicalId === id);
    if (found === undefined) throw new Error(`there is no ${type} called ${id}`);
    return found[1];
  }

  exportOf(name: string): unknown {
    for (const { Value, Export } of Object.values(this.#template.Outputs ?? {}))
      if (Export !== undefined && this.value(Export.Name) === name) return this.value(Value);
    return undefined;
  }

  value(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.value(each));
    if (typeof value !== "object" || value === null) return value;
    const [[name, of] = [], more] = Object.entries(value);
    if (name !== undefined && more === undefined) {
      if (name === "Ref") return this.#ref(String(of));
      if (name === "Fn::GetAtt") return this.#attribute(of as readonly [string, string]);
      if (name === "Fn::ImportValue") return this.#imported(String(this.value(of)));
      if (name === "Fn::Join") {
        const [separator, parts] = of as readonly [string, readonly unknown[]];
        return parts.map((part) => this.value(part)).join(separator);
      }
      if (name === "Fn::Sub") return String(of).replace(/\$\{([\w:]+)\}/g, (_, id: string) => this.#ref(id));
      if (name.startsWith("Fn::")) throw new Error(`${name} is not understood here`);
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.value(each)]));
  }

  #ref(id: string): string {
    const known = pseudo[id];
    return known ?? this.#deployed(id)?.ref ?? id;
  }

  #attribute([id, name]: readonly [string, string]): string {
    return this.#deployed(id)?.attributes?.[name] ?? `arn:aws:test:us-east-1:111111111111:${id}.${name}`;
  }

  #deployed(id: string): Deployed | undefined {
    const resource = this.#template.Resources?.[id];
    if (resource === undefined) throw new Error(`nothing is called ${id}`);
    return this.#deployment.deployed(resource, id);
  }

  #imported(name: string): unknown {
    for (const stack of this.#deployment.stacks) {
      const found = new DeployedStack(stack, this.#deployment).exportOf(name);
      if (found !== undefined) return found;
    }
    throw new Error(`no stack exports ${name}`);
  }
}
