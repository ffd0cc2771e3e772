import { expect, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Url from "node:url"
import * as Yaml from "yaml"
import * as Fields from "../../src/layers/settings/Fields.ts"
import { Api } from "../../src/runtime/api/Api.ts"

const ROOT = Url.fileURLToPath(new URL("../..", import.meta.url))
const read = (path: string): string => Fs.readFileSync(Path.join(ROOT, path), "utf8")

interface Service {
  readonly command?: ReadonlyArray<string>
  readonly healthcheck?: { readonly test: ReadonlyArray<string> }
  readonly environment?: { readonly [name: string]: string | null }
  readonly volumes?: ReadonlyArray<string>
  readonly depends_on?: { readonly [service: string]: unknown }
  readonly profiles?: ReadonlyArray<string>
  readonly build?: { readonly context: string; readonly dockerfile: string }
}

const compose = Yaml.parse(read("docker/compose.yml")) as {
  readonly services: { readonly [name: string]: Service }
  readonly volumes: { readonly [name: string]: unknown }
}

const paths = new Set(
  Object.values(Api.groups).flatMap(({ endpoints }) => Object.values(endpoints)).map((one) => one.path)
)

const README = read("README.md")

/** Variables that others than this program define, the compose file among them. */
const THEIRS = /^(COMPOSE_|POSTGRES_|GF_|AWS_|OTEL_|BAROGRAPH_PORT$)/

it("the compose file refers to files, services and volumes that there are", () => {
  for (const [name, { build, depends_on, volumes }] of Object.entries(compose.services)) {
    for (const service of Object.keys(depends_on ?? {})) expect(compose.services, name).toHaveProperty(service)
    for (const volume of volumes ?? []) {
      const source = volume.split(":")[0]!
      if (source.startsWith(".")) expect(Fs.existsSync(Path.join(ROOT, "docker", source)), volume).toBe(true)
      else expect(compose.volumes, name).toHaveProperty(source)
    }
    if (build !== undefined) {
      expect(Fs.existsSync(Path.join(ROOT, "docker", build.context, build.dockerfile))).toBe(true)
    }
  }
})

it("the daemon and its database need no profile, what stands in for the cloud and what watches have one each", () => {
  const profiles = Object.entries(compose.services).map(([name, { profiles = [] }]) => [name, profiles.join()])
  expect(Object.fromEntries(profiles)).toEqual({
    daemon: "",
    postgres: "",
    "local-cloud": "local-cloud",
    prometheus: "telemetry",
    grafana: "telemetry",
    jaeger: "telemetry"
  })
})

const given = (text: string): ReadonlyArray<string> => [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name!)

it("every variable of the compose file is in .env.example", () => {
  const used = [...read("docker/compose.yml").matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name!)
  expect(used.length).toBeGreaterThan(2)
  expect(given(read("docker/.env.example"))).toEqual(expect.arrayContaining(used))
})

it("the daemon is given every setting that there is, but for the places within the image", () => {
  const places = ["BAROGRAPH_HOME"]
  const settings = Object.values(Fields.fields).flatMap(({ env }): ReadonlyArray<string> => env)
  expect(settings.length).toBeGreaterThan(30)
  for (const name of settings.filter((name) => !places.includes(name))) {
    expect(compose.services["daemon"]!.environment).toHaveProperty(name)
  }
  // Of those that are only named, Compose takes the value from .env or the shell.
  expect(compose.services["daemon"]!.environment!["BAROGRAPH_SYMBOLS"]).toBeNull()
})

it("the file with keys is not for git", () => {
  expect(read(".gitignore").split("\n")).toContain("docker/.env")
})

it("the database is healthy where the daemon finds it, not while it is prepared behind a socket", () => {
  expect(compose.services["postgres"]!.healthcheck!.test.join(" ")).toMatch(/pg_isready .*--host 127\.0\.0\.1/)
})

it("what stands in for the cloud listens under the name that the daemon knows", () => {
  const { command } = compose.services["local-cloud"]!
  expect(command![command!.indexOf("--host") + 1]).toBe("local-cloud")
})

it("every setting that the containers are given is one of the README's table", () => {
  const kubernetes = Yaml.parseAllDocuments(read("docker/kubernetes/barograph.yaml")).map((one) => one.toJS())
  const names = [
    ...Object.keys(compose.services["daemon"]!.environment!),
    ...given(read("docker/.env.example")),
    ...Object.keys(kubernetes.find(({ kind }) => kind === "ConfigMap").data),
    ...[...read("docker/Dockerfile").matchAll(/\b(BAROGRAPH_[A-Z_]+)=/g)].map(([, name]) => name!),
    ...[...read("docker/systemd/barograph.service").matchAll(/\b(BAROGRAPH_[A-Z_]+)=/g)].map(([, name]) => name!)
  ]
  expect(names.length).toBeGreaterThan(20)
  for (const name of names) if (!THEIRS.test(name)) expect(README, name).toContain(`\`${name}\``)
})

const instructions = read("docker/Dockerfile").replaceAll("\\\n", "").split("\n")
  .filter((line) => /^[A-Z]+ /.test(line)).map((line) => line.split(/\s+/))

it("what the image copies is there, and let through by the ignore file", () => {
  const ignored = read("docker/Dockerfile.dockerignore").split("\n")
  const sources = instructions.filter(([verb, first]) => verb === "COPY" && !first!.startsWith("--from"))
    .flatMap((words) => words.slice(1, -1))
  expect(sources.length).toBeGreaterThan(8)
  for (const source of sources) {
    expect(Fs.existsSync(Path.join(ROOT, source)), source).toBe(true)
    expect(ignored, source).toContain(`!${source.split("/")[0]}`)
  }
})

it("what one stage takes from another, that other made", () => {
  const stages = instructions.filter(([verb]) => verb === "FROM").map((words) => words[3])
  const taken = instructions.filter(([verb, first]) => verb === "COPY" && first!.startsWith("--from"))
  for (const [, from] of taken) expect(stages).toContain(from!.slice("--from=".length))
  expect(taken.map((words) => words.at(-1))).toEqual(["node_modules", "dist", "lib"])
})

it("the program runs without rights, below an init", () => {
  expect(instructions.find(([verb]) => verb === "USER")).toEqual(["USER", "10001"])
  expect(instructions.find(([verb]) => verb === "ENTRYPOINT")!.join(" ")).toContain("\"tini\"")
})

it("probes ask for what the daemon answers", () => {
  const kubernetes = read("docker/kubernetes/barograph.yaml")
  const probed = [
    ...[...kubernetes.matchAll(/httpGet: \{ path: (\S+),/g)].map(([, path]) => path!),
    /4180(\/\w+)/.exec(read("docker/Dockerfile"))![1]!
  ]
  expect(probed).toEqual(["/health", "/ready", "/health", "/health"])
  for (const path of probed) expect([...paths]).toContain(path)
})

it("two replicas have more time to stop than their runs to end", () => {
  const [, deployment] = Yaml.parseAllDocuments(read("docker/kubernetes/barograph.yaml")).map((one) => one.toJS())
  expect(deployment.spec.replicas).toBe(2)
  expect(deployment.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(30)
  expect(parseInt((compose.services["daemon"] as { stop_grace_period: string }).stop_grace_period)).toBeGreaterThan(30)
})

it("the manifest asks for no more than the restricted level of a cluster allows, and writes to a volume only", () => {
  const [, deployment] = Yaml.parseAllDocuments(read("docker/kubernetes/barograph.yaml")).map((one) => one.toJS())
  const { containers: [daemon], securityContext, volumes } = deployment.spec.template.spec
  expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } })
  expect(daemon.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] }
  })
  expect(daemon.volumeMounts).toEqual([{ name: volumes[0].name, mountPath: "/var/lib/barograph" }])
  expect(read("docker/Dockerfile")).toContain("BAROGRAPH_HOME=/var/lib/barograph")
})

const unit = Object.fromEntries(
  read("docker/systemd/barograph.service").split("\n").filter((line) => /^[A-Z]/.test(line)).map((line) => {
    const at = line.indexOf("=")
    return [line.slice(0, at), line.slice(at + 1)]
  })
)

it("the unit runs as a user that PostgreSQL finds by name, in a directory of its own", () => {
  expect(unit).toMatchObject({ User: "barograph", StateDirectory: "barograph", WorkingDirectory: "/var/lib/barograph" })
  expect(unit).not.toHaveProperty("DynamicUser")
  expect(unit["Environment"]).toContain("BAROGRAPH_HOME=/var/lib/barograph")
})

it("the unit lets V8 compile, waits for runs, and takes the code of an interrupted program for a good end", () => {
  expect(unit).not.toHaveProperty("MemoryDenyWriteExecute")
  expect(Number(unit["TimeoutStopSec"])).toBeGreaterThan(30)
  expect(unit["SuccessExitStatus"]).toBe("130")
})
