/**
 * Why a PostgreSQL server could not be used, as seen by a client. Each reason says what happened, why, and what a person
 * does about it. `server` is the URL without its password; no reason ever holds a secret.
 */
import * as Schema from "effect/Schema"

const fields = { server: Schema.String, text: Schema.String }

/** `DATABASE_URL` cannot be read as a PostgreSQL URL. `text` never quotes the URL: it may hold a password. */
export class BadUrl extends Schema.TaggedClass<BadUrl>()("BadUrl", { text: Schema.String }) {
  readonly what = "DATABASE_URL is not a PostgreSQL URL"
  readonly fix = "Write it as postgres://user:password@host:5432/database, special characters in the password "
    + "percent-encoded (@ is %40, / is %2F, # is %23)"
  get why(): string {
    return this.text
  }
}

/** Nobody listens there, or the network drops us. */
export class Refused extends Schema.TaggedClass<Refused>()("Refused", fields) {
  readonly fix = "Start the server, or correct host and port in DATABASE_URL"
  get what(): string {
    return `no PostgreSQL server answers at ${this.server}`
  }
  get why(): string {
    return this.text
  }
}

/** The host name does not resolve. */
export class UnknownHost extends Schema.TaggedClass<UnknownHost>()("UnknownHost", fields) {
  readonly fix = "Correct the host in DATABASE_URL, or the name server's settings"
  get what(): string {
    return `the host of ${this.server} is not known`
  }
  get why(): string {
    return this.text
  }
}

/** No answer within the connect timeout: usually a firewall, or a server that is overloaded. */
export class TimedOut extends Schema.TaggedClass<TimedOut>()("TimedOut", fields) {
  readonly fix = "Check the firewall between here and the server; connect_timeout=30 in DATABASE_URL waits longer"
  get what(): string {
    return `${this.server} does not answer in time`
  }
  get why(): string {
    return this.text
  }
}

/** The password is wrong or missing, or the server's access rules refuse this user. */
export class WrongPassword extends Schema.TaggedClass<WrongPassword>()("WrongPassword", fields) {
  readonly fix = "Correct user and password in DATABASE_URL, or the server's pg_hba.conf"
  get what(): string {
    return `${this.server} refuses the login`
  }
  get why(): string {
    return this.text
  }
}

export class UnknownDatabase extends Schema.TaggedClass<UnknownDatabase>()("UnknownDatabase", fields) {
  readonly fix = "Create it (createdb NAME) or correct the last part of DATABASE_URL"
  get what(): string {
    return `the database of ${this.server} does not exist`
  }
  get why(): string {
    return this.text
  }
}

/** Logged in, but the user may not do this. */
export class NotAllowed extends Schema.TaggedClass<NotAllowed>()("NotAllowed", fields) {
  readonly fix = "Ask the database's owner for: grant connect, create, temporary on database NAME to USER"
  get what(): string {
    return `the user of ${this.server} lacks a permission`
  }
  get why(): string {
    return this.text
  }
}

export class TlsFailed extends Schema.TaggedClass<TlsFailed>()("TlsFailed", fields) {
  readonly fix = "Set sslmode=disable in DATABASE_URL for a server without TLS; for a private authority start with "
    + "NODE_EXTRA_CA_CERTS=/path/ca.pem"
  get what(): string {
    return `no TLS connection to ${this.server}`
  }
  get why(): string {
    return this.text
  }
}

export class TooManyConnections extends Schema.TaggedClass<TooManyConnections>()("TooManyConnections", fields) {
  readonly fix = "Close other clients, or raise max_connections on the server"
  get what(): string {
    return `${this.server} has no connection left`
  }
  get why(): string {
    return this.text
  }
}

/** Starting, stopping or recovering. Worth another try. */
export class NotReady extends Schema.TaggedClass<NotReady>()("NotReady", fields) {
  readonly fix = "Run the command again in a few seconds"
  get what(): string {
    return `${this.server} does not take connections now`
  }
  get why(): string {
    return this.text
  }
}

/** Whatever else the server or the driver says. */
export class Other extends Schema.TaggedClass<Other>()("Other", fields) {
  readonly fix = "See the server's log; barograph doctor shows what is configured"
  get what(): string {
    return `${this.server} cannot be used`
  }
  get why(): string {
    return this.text
  }
}

export const ConnectionReason = Schema.Union([
  BadUrl,
  Refused,
  UnknownHost,
  TimedOut,
  WrongPassword,
  UnknownDatabase,
  NotAllowed,
  TlsFailed,
  TooManyConnections,
  NotReady,
  Other
])
export type ConnectionReason = typeof ConnectionReason.Type
