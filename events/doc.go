// Package events is the vocabulary of btda: what can happen while a swarm is observed, and how it is written down.
//
// # Promises
//
// Order. Within a run, Seq is the order: from 1, without gaps. Records of several runs are ordered by the running
// maximum of Time within each run, then run id, then Seq, so that the order of a run is always kept.
//
// Time. A Time is the wall clock at the start of the run plus the monotonic time since, taken where the fact was
// observed. It may step back a little from one Seq to the next, because goroutines append independently; a stepping wall clock
// never reorders a run.
//
// Durability. An event that was appended has its place in the order. It is acknowledged, and survives a crash, once
// it is at or below the durable sequence number of the log (package eventlog).
//
// Facts. An event says what was observed or done, never what it means. Unknown numbers are Optional and never 0.
// Texts and byte strings of remote origin are as received: a text need not be UTF-8.
//
// Growth. Fields are only ever appended to a payload; older payloads leave them zero, and older programs skip them. A changed
// meaning is a new payload version with an upcaster. Kind numbers are never used again.
//
// # To add an event
//
//  1. Give it a number in kinds.go, with one line that says what happened, and an entry in the table below.
//  2. Write its struct, Kind and fields methods in the file of its family.
//  3. Run go test ./events -rewrite: this writes its golden records and names below testdata, frozen from then on.
//  4. Append it where it is observed, in recorder.
//  5. Fold it where it counts, in projections, with a scene that shows it.
package events
