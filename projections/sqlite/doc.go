// Package sqlite writes the rows of projections into a SQLite file.
//
// A Writer makes a whole file at once, a Keeper keeps the tables of one up to date while others read it.
//
// # Promises of a Writer
//
// Same rows, same bytes. A file depends on nothing but the rows, the schema and the version of this program: not on the
// time, the machine's number of cores, the path, or what was in the file before. Its header is part of this: the change
// counter and the "version valid for" number are 1, because a file is one transaction, and the number of the SQLite
// version is that of the library in the program.
//
// All or nothing. Rows go to a temporary file in the folder of the final one. Finish makes it durable and renames it, so a
// reader sees the old file or the whole new one. Until then the old file stays as it is; Close without Finish
// removes the temporary file. Only a process that is killed leaves it behind, as .NAME.N.tmp; the next that writes NAME removes it. Who
// writes one holds its lock (flock), so that no file is removed that somebody writes.
//
// Unknown is NULL. The zero Value is NULL, and nothing else is.
//
// Texts can be read. Names that came from outside may be any bytes; in a text of a file, what is not UTF-8 and
// zero characters are U+FFFD. Blobs are as they are.
//
// # Promises of a Keeper
//
// Whole transactions. A file that is kept is in WAL mode: who reads it sees the tables as one transaction left them, for as long as the
// reading takes, and neither waits for the keeper nor makes it wait. Meanwhile NAME-wal and NAME-shm belong to the file. A process
// that is killed leaves them behind; any program that opens the file, and the next keeper, finds what the last transaction
// left. A machine that crashes may lose the last transactions, never half of one.
//
// Same rows. The tables hold the rows that a Writer would write, with the same ids. The bytes of the file differ, for they depend on its
// history.
//
// # Speed
//
// The rows of one statement are one INSERT with many VALUES, bound through the C interface of the library
// (modernc.org/sqlite/lib) without database/sql; there is no journal, and indexes come last.
package sqlite
