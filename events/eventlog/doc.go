// Package eventlog keeps the events of one run in a folder: a Pebble store with a single writer.
//
// # Promises
//
// Order. Append gives each event the next sequence number, from 1, without gaps. What Append returned comes before what
// is appended afterwards.
//
// Durability. An event is acknowledged when it is at or below Durable. What is acknowledged survives a crash of the
// program, of the system and of the machine, as far as the disk keeps what it synced; and with an event, all before it.
// An event is synced about SyncInterval after it was appended at the latest, unless the disk is slower.
//
// Nothing is dropped. When the disk is behind, Append waits, and the waits are counted. When writing fails, the recording
// is over: every Append returns the error, and all that was acknowledged stays readable.
//
// Ownership. Append does not keep the event. A record belongs to its scanner until the next call of Next.
//
// One folder, one run, one writer. A folder is written once and never continued. While it is written nobody else can open
// it; Scan of the Log reads beside the writer. Afterwards any number of readers can.
//
// Damage. Every block carries the hash of the one before, and the seal that of the last one. Verify recomputes them. This shows
// damage, not forgery: who can write to the folder can compute the hashes anew.
//
// FORMAT.md describes the bytes.
package eventlog
