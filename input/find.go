package input

import (
	"errors"
	"path/filepath"
	"strings"

	"btda/events"
)

// Found is what a search for torrents brought up.
type Found struct {
	Torrents   []Torrent   // each info hash once, in the order of their paths
	Broken     []Broken    // what could not be read
	Duplicates []Duplicate // files whose info hash another one had before
}

// Broken is a file or folder that was skipped because it could not be read.
type Broken struct {
	Path string // relative to the folder that was walked
	Err  error
}

// Duplicate is a file that was skipped because its info hash had come before.
type Duplicate struct {
	Path string // relative to the folder that was walked
	Of   string // the path of the one that is used
}

// Find looks for *.torrent files in a folder and all folders below it, in the order of their names. It follows symbolic links, and goes
// into no folder twice. What begins with a dot is skipped, and so are folders called testdata. The error is that of the folder itself.
func Find(dir string) (Found, error) {
	c := collection{dir: dir, used: make(map[events.InfoHash]string)}
	err := walk(dir, visitor{wants: isTorrentFile, file: c.add, broken: c.addBroken})
	return c.Found, err
}

// ReadTorrents reads the .torrent files that are named. Each info hash comes once; unlike in Find, a broken file is an error, because it
// was asked for.
func ReadTorrents(paths ...string) (Found, error) {
	c := collection{used: make(map[events.InfoHash]string)}
	for _, path := range paths {
		c.add(path)
	}
	var errs []error
	for _, b := range c.Broken {
		errs = append(errs, b.Err)
	}
	return c.Found, errors.Join(errs...)
}

func isTorrentFile(name string) bool { return strings.EqualFold(filepath.Ext(name), ".torrent") }

type collection struct {
	Found
	dir  string                     // empty where paths stay as they were given
	used map[events.InfoHash]string // path by info hash
}

func (c *collection) add(path string) {
	t, err := ReadTorrent(path)
	if err != nil {
		c.addBroken(path, err)
		return
	}
	t.Path = c.relative(path)
	if of, ok := c.used[t.InfoHash]; ok {
		c.Duplicates = append(c.Duplicates, Duplicate{Path: t.Path, Of: of})
		return
	}
	c.used[t.InfoHash] = t.Path
	c.Torrents = append(c.Torrents, t)
}

func (c *collection) addBroken(path string, err error) {
	c.Broken = append(c.Broken, Broken{Path: c.relative(path), Err: err})
}

func (c *collection) relative(path string) string {
	if relative, err := filepath.Rel(c.dir, path); err == nil && c.dir != "" {
		path = relative
	}
	return filepath.ToSlash(path)
}
