// Package projections folds the records of logs into the rows of tables: what the facts mean.
//
// # Promises
//
// Pure. A fold has no clock, file, socket, environment or chance. What it gives depends on the records, their order and the
// Options alone; no order of a map reaches a row.
//
// Two passes. A Set is told the run and torrent records first (Define), since messages may come before the metadata that
// gives them meaning; then it folds all records in the order of the log (Apply).
//
// Reading does not disturb. Tables may be asked for at any time: open sessions are then ended on copies, at the last
// record of their run, as they are in the log of a recorder that was killed.
//
// Ids. A row gets its id when it first appears, in the order of the records, and no other row ever gets it. So what was
// written of the first half of a log stays right: Changed gives the rows that may differ since a Position.
//
// Numbers. All is compared and added in integers. A value that is no integer is made of integers at the very end, by
// multiplying and dividing floats, which gives the same bits everywhere. Times with a fraction are whole microseconds, which
// a float holds exactly, divided once by 10^6.
//
// # The counting rules
//
// They stand in DESIGN.md, section 6. Where that leaves a choice, the folds choose this:
//
//   - The first availability of a session is one statement. It is judged when the set is settled or, if it proves above, at
//     the end of the session; but it counts from the message that completed it. Messages at the very moment of settling
//     come after.
//   - The evidence of a whole set is what replaced it last: a bitfield after haves makes them known. What proves above is the
//     message that did, or for a first availability what the set rests on.
//   - Known beats assumed: a row is assumed only when nothing was known below before the first time above.
//   - Whoever was known above before anything was known or assumed below is a seed for good, also by a short session.
//   - The sweep counts by the same rules, for each threshold as if it were the one. Samples are of the one alone.
//   - A timeout cuts a session when a later message came after as long a wait, or when connecting or the handshake took as long. Silence at
//     the end of a session cuts nothing.
//   - First is the contact in which an address was tried for the first time, by whatever transport; what came to us before is none.
//   - The sources of a peer are those of the endpoints that have it, and incoming where it came to us.
//   - Silence for the timeout counts only when bare haves follow in the same session; then below is assumed from the handshake
//     on. A session of silence alone says nothing, nor does silence before a bitfield, have-all or have-none.
//   - A dont-have as a first message begins no set. Have-all with pieces taken back at once is below, but only assumed.
//   - A sample is taken when the number of pieces becomes known or is at the threshold, not of haves that may lack
//     others. Speeds are measured over at least a second.
//   - A guest (incoming, without listening port) belongs to the endpoint where its peer id was seen first, so that it never
//     changes sides.
//   - The 2015 policy counts a failed attempt as contact. Incoming peers that it admitted before stay.
//
// # To add a projection
//
//  1. Write its CREATE TABLE in schema.sql, with a comment on every column, and raise SchemaVersion.
//  2. Write a file with its columns, its fold (a method for each event) and its table.
//  3. Call the methods in Set.Apply, and the table in Set.Tables.
//  4. Write a scene in testdata/scenes: prose, events, heading; go test ./projections -rewrite fills in the rows; read them.
//  5. State it a second time in the naive model where it counts something.
package projections
