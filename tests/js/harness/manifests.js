import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { Ingress } from "kubernetes-models/networking.k8s.io/v1/Ingress";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Secret } from "kubernetes-models/v1/Secret";
import { Service } from "kubernetes-models/v1/Service";
import { parseAllDocuments } from "yaml";

const FOLDER = new URL("../../../deploy/kubernetes/", import.meta.url);

/** What there is a schema for, by kind. */
const MODELS = { Deployment, HorizontalPodAutoscaler, Ingress, NetworkPolicy, PodDisruptionBudget, Secret, Service, ServiceMonitor };

export async function text(file) {
  return readFile(new URL(file, FOLDER), "utf8");
}

/** The objects in a file. */
export async function objects(file) {
  return parseAllDocuments(await text(file)).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS();
  });
}

/** What is wrong with an object by its kind's schema, unknown fields included. */
export function faults(object) {
  const { apiVersion, kind } = object;
  const Model = MODELS[kind];
  if (!Model) return [`no schema for ${kind}`];
  const model = new Model();
  if (model.apiVersion !== apiVersion) return [`${kind} is of ${model.apiVersion}, not of ${apiVersion}`];
  // The schemas let unknown fields pass, which Kubernetes drops: they are those that the validation never looks at.
  const unread = new Set();
  Object.assign(model, watched(object, "", unread));
  try {
    model.validate();
  } catch (error) {
    return [error.message];
  }
  return [...unread].map((path) => `unknown field ${path}`);
}

/** The same value, which strikes out of `unread` the path of each field that is read. */
function watched(value, path, unread) {
  if (typeof value !== "object" || value === null) return value;
  const copy = Array.isArray(value) ? [] : {};
  for (const [key, inner] of Object.entries(value)) {
    const here = `${path}/${key}`;
    const kept = watched(inner, here, unread);
    unread.add(here);
    const get = () => {
      unread.delete(here);
      return kept;
    };
    Object.defineProperty(copy, key, { get, enumerable: true, configurable: true });
  }
  return copy;
}
