/** Listens until the scope closes. Loaded only by a daemon that is asked to. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import * as Address from "./Address.ts"
import { Api } from "./Api.ts"
import * as Handlers from "./Handlers.ts"

/** The address cannot be listened on. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  address: Schema.String,
  why: Schema.String
}) {
  override get message(): string {
    return `cannot listen on ${this.address}: ${this.why}`
  }
}

const REASONS: { readonly [code: string]: string } = {
  EADDRINUSE: "another process listens there",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "this user may not use that port",
  ENOTFOUND: "there is no such host"
}

const refused = (address: Address.Address) => ({ cause }: { readonly cause: unknown }) => {
  const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : String(cause)
  return new ListenError({ address: Address.toText(address), why: REASONS[code] ?? code })
}

/** Probes and scrapes every few seconds are no traces. */
const untraced = Layer.succeed(HttpMiddleware.TracerDisabledWhen, () => true)

const serverOf = ({ host, port }: Address.Address) =>
  NodeHttpServer.layer(() => Http.createServer(), { host, port, gracefulShutdownTimeout: "1 second" })

/** Answers where it listens: port 0 is any that is free. */
export const serve = (address: Address.Address, term: () => number | undefined) =>
  Effect.gen(function*() {
    const routes = Layer.provide(HttpApiBuilder.layer(Api), Handlers.layer(term))
    const served = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(serverOf(address)),
      Layer.provide(untraced)
    )
    const context = yield* Effect.mapError(Layer.build(served), refused(address))
    const bound = Context.get(context, HttpServer.HttpServer).address
    return Address.toText({ host: address.host, port: "port" in bound ? bound.port : address.port })
  })
