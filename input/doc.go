// Package input reads what a user gives to btda: .torrent files and geolocation files, from a folder or by name.
//
// The folder input/ beside it in the repository is the default place to drop *.torrent and *.mmdb files; folders called testdata
// and those that begin with a dot are skipped.
//
// Files are not trusted: sizes are bounded, bencode goes through package bencode, and a file that makes no sense gives an error
// that names what was wrong and where. Nothing is written.
package input
