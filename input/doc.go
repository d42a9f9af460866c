// Package input reads what a user gives to btda: .torrent files, magnet links and geolocation files, from a folder or by name.
//
// The folder input/ beside it in the repository is the default place to drop *.torrent and *.mmdb files and magnet.txt, which has
// a magnet link a line, blank lines, and comments after #; folders called testdata and those that begin with a dot are skipped.
//
// Where a .torrent file and magnet links name one torrent, the file counts, and the trackers and peers that the links add are used too.
//
// Files are not trusted: sizes are bounded, bencode goes through package bencode, and a file that makes no sense gives an error
// that names what was wrong and where. Nothing is written.
package input
