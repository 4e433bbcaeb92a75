/**
 * The Price List service, as much as AWS's run analyzer needs: DescribeServices and GetProducts of HealthOmics. The
 * server's machine has no hourly price, so every requested resource costs 0 USD.
 * https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
 */

import { type HttpResponse, jsonResponse } from "../../http/index.ts";
import { boundedText } from "../../protocol/index.ts";
import type { ServiceRequest } from "./service-request.ts";

const serviceCode = "AmazonOmics";
const bodyBounds = { textBytes: 64 * 1024, blobs: new Set<string>() };
const attributes = ["productFamily", "regionCode", "resourceType", "servicecode"] as const;

export function answerPricing({ request }: ServiceRequest, action: string): HttpResponse {
  const body = parse(request.body);
  if (body === undefined) return refusal("SerializationException", "the body is not a JSON object");
  const service = body["ServiceCode"];
  if (service !== undefined && service !== serviceCode)
    return refusal(
      "NotFoundException",
      `expected the service ${serviceCode}, got ${String(service).slice(0, 100)}`,
    );
  switch (action) {
    case "DescribeServices":
      return jsonResponse(200, {
        FormatVersion: "aws_v1",
        Services: [{ ServiceCode: serviceCode, AttributeNames: attributes }],
      });
    case "GetProducts":
      return jsonResponse(200, {
        FormatVersion: "aws_v1",
        PriceList: [JSON.stringify(product(filtersOf(body["Filters"])))],
      });
    default:
      return refusal("UnknownOperationException", `${action} is not served here`);
  }
}

function product(filters: Readonly<Record<string, string>>): unknown {
  const unit = filters["resourceType"]?.endsWith("Storage") ? "GiB-Hours" : "Hours";
  const description = "Computed and stored on your own machine";
  const sku = "MEMOIRLOCAL";
  return {
    product: { sku, productFamily: "Compute", attributes: { servicecode: serviceCode, ...filters } },
    serviceCode,
    terms: {
      OnDemand: {
        [`${sku}.ONDEMAND`]: {
          sku,
          priceDimensions: {
            [`${sku}.ONDEMAND.HOURS`]: { unit, description, pricePerUnit: { USD: "0.0000000000" } },
          },
        },
      },
    },
  };
}

/** What was asked for, by name. */
function filtersOf(given: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(given)) return {};
  return Object.fromEntries(
    (given as readonly unknown[]).slice(0, attributes.length * 4).flatMap((filter) => {
      const { Field, Value } = (filter ?? {}) as { readonly Field?: unknown; readonly Value?: unknown };
      return typeof Field === "string" && typeof Value === "string" ? [[Field, Value]] : [];
    }),
  );
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  if (boundedText(bytes, bodyBounds).kind === "refused") return undefined;
  try {
    const value = JSON.parse(Buffer.from(bytes).toString("utf8") || "{}") as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

function refusal(type: string, message: string): HttpResponse {
  return jsonResponse(400, { __type: type, message }, { "x-amzn-errortype": type });
}
