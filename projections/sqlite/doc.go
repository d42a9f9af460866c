// Package sqlite writes the rows of projections into a SQLite file.
//
// # Promises
//
// Same rows, same bytes. A file depends on nothing but the rows, the schema and the version of this program: not on the
// time, the machine's number of cores, the path, or what was in the file before. Its header is part of this: the change
// counter and the "version valid for" number are 1, because a file is one transaction, and the number of the SQLite
// version is that of the library in the program.
//
// All or nothing. Rows go to a temporary file in the folder of the final one. Finish makes it durable and renames it, so a
// reader sees the old file or the whole new one. Until then the old file stays as it is; Close without Finish
// removes the temporary file. Only a process that is killed leaves it behind, as .NAME.N.tmp, which no later one uses.
//
// Unknown is NULL. The zero Value is NULL, and nothing else is.
//
// Texts can be read. Names that came from outside may be any bytes; in a text of a file, what is not UTF-8 and
// zero characters are U+FFFD. Blobs are as they are.
//
// # Speed
//
// The rows of one statement are one INSERT with many VALUES, bound through the C interface of the library
// (modernc.org/sqlite/lib) without database/sql; there is no journal, and indexes come last.
package sqlite
