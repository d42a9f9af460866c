// Package replay reads logs, folds their records into tables, and writes these into a SQLite file. The log keeps what happened; a
// replay decides what it means, and can be had again at any time with other options or a corrected fold.
//
// # Promises
//
// Same logs, same bytes. The file depends on the logs, the options, the geolocation files and the program alone: not on the order in
// which the logs are named, on where they lie, on how they are stored, on the number of cores, or on the time of the replay.
// The table provenance names all that it depends on, and no path and no time of the replay.
//
// All or nothing. A replay that fails, is interrupted or is killed leaves the file that was there before; a reader never sees half a
// result. A log that is damaged, of a newer format, or shorter than its seal says gives an error and no file.
//
// Order. Records are folded by the running maximum of their time within the run, then run id, then sequence number: the order
// of a run is always kept. The run and torrent records of all logs are shown first, for a have may come before the
// metadata that gives it meaning.
//
// Once. A record is named by its run and sequence number. Of several logs of one run, the longest counts, and of equally long ones a
// sealed one; the others must be its beginning, else there is an error and no file.
//
// As of. A replay that stops at a record gives the rows of a log that ends with it; a run stops before the first of its records that
// is later than a time. What stands behind is not read, so that damage there does not matter.
//
// Partial. A selection chooses among the rows of a whole result, and changes nothing in them. The table provenance says whether records or
// rows were left out.
//
// Follow. A Follower keeps the tables of a log that is being written, in transactions that each leave what a replay up to a position in the
// log gives. One that was stopped or killed leaves its last transaction, and the next one goes on from there. At the end the rows of all tables,
// provenance included, are those of a fresh replay; the bytes of the file are not.
//
// Growth. Records of kinds, or of versions of kinds, that this program does not know are passed over and counted. The log of a recorder
// that was killed replays like any other; Recording.Ending says that its end cannot be proven. Where its folder shows that it held more than
// can be read, it is damaged.
package replay
