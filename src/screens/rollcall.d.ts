/** Types of `rollcall.js`: see there for what each does. */

export declare const PROTOCOL: "rollcall.v1";

/** The document after a merge patch (RFC 7396); neither argument is changed. */
export declare function merge<T = unknown>(target: unknown, patch: unknown): T;

export declare function connect(options: Options): Live;

export interface Options {
  /** A token, or where to get one: asked before each connection and before the token ends. */
  token: string | (() => string | Promise<string>);
  /** `ws(s)://…/v1/live`; by default that of the page's own host. */
  url?: string;
  onStatus?: (status: Status, detail: StatusDetail) => void;
  /** For environments without a global one. */
  WebSocket?: typeof WebSocket;
}

export type Status = "connecting" | "live" | "waiting" | "closed";

export interface StatusDetail {
  /** The close code; 41xx ends the connection for good, 0 is a connection that broke. */
  code?: number;
  /** Milliseconds until the next attempt. */
  retryMs?: number;
  /** Why no token could be had. */
  error?: unknown;
}

export interface Live {
  readonly status: Status;
  watch<T extends keyof Documents>(topic: T, listener: Listener<Documents[T]>, onGone?: OnGone): () => void;
  doc<T extends keyof Documents>(topic: T): Documents[T] | undefined;
  close(): void;
}

export type Listener<D> = (doc: D, change: Change) => void;

/** The topic was refused, or the right to it ended; it is listened to no more. */
export type OnGone = (code: string, detail?: string) => void;

export interface Change {
  /** The event that caused it, where one did. */
  event?: string;
  /** When it happened. */
  at?: string;
  /** 0: the whole document came anew. */
  from: number;
  to: number;
}

/** What each topic is. */
export interface Documents {
  [topic: `class:${string}`]: ClassFace;
  [topic: `day:${string}:${string}`]: Record<string, ClassFace>;
  [topic: `roster:${string}`]: RosterDoc;
  me: MeDoc;
}

/** The public face of a class. */
export interface ClassFace {
  status: "scheduled" | "open" | "cancelled" | "finished";
  capacity: number;
  booked: number;
  free: number;
  waiting: number;
  checked_in: number;
  /** How many more bookings the minimum wants. */
  needed: number;
  title: string;
  room?: string;
  instructor?: { id: string; name: string };
  starts_at: string;
  ends_at: string;
  revision: number;
}

export interface RosterDoc {
  class: ClassFace;
  bookings: Record<string, RosterEntry>;
}

export interface RosterEntry {
  member: string;
  name: string;
  status: BookingStatus;
  position?: number;
  present: boolean;
  late: boolean;
  first_time: boolean;
}

export type BookingStatus =
  | "booked" | "waitlisted" | "offered" | "checked_in" | "no_show"
  | "cancelled" | "late_cancelled" | "class_cancelled" | "lapsed";

export interface Money {
  /** Minor units. */
  amount: number;
  currency: string;
}

export interface MeDoc {
  bookings: Record<string, MyBooking>;
  standing: Standing;
}

export interface MyBooking {
  id: string;
  class: string;
  member: string;
  status: BookingStatus;
  position?: number;
  offer_expires_at?: string;
  paid_with: "membership" | "clip";
  late: boolean;
  present: boolean;
  fee?: Money;
  created_at: string;
  updated_at: string;
  /** Of its class. */
  title: string;
  club: string;
  starts_at: string;
  ends_at: string;
}

export interface Standing {
  strikes: { booking: string; class: string; at: string; counts_until: string }[];
  banned_until?: string;
  clips?: number;
  open_fees: Money;
  daily_limit?: number;
  booked: Record<string, number>;
  upcoming: number;
}
