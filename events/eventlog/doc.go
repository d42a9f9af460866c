// Package eventlog is the log of a run: one folder, a Pebble store, one writer.
//
// # Promises
//
// Order. Append gives each event the next sequence number: from 1, without gaps.
//
// Durability. An event at or below Durable is on disk and survives a crash; the log then opens without repair. It becomes durable at the
// latest a sync interval, and the time of the sync, after it was appended.
//
// Back-pressure. Append waits when the writer is behind; it never drops. An error of the writer is final: it releases all that wait.
//
// Ownership. A Log has its folder to itself until Close; a Reader never writes.
package eventlog
