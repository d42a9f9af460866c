package input

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"btda/events"
)

// MagnetFile is the file of magnet links in the folder that Find walks.
const MagnetFile = "magnet.txt"

// Found is what a search for torrents brought up.
type Found struct {
	Torrents   []Torrent   // each info hash once: those of files in the order of their paths, then those of magnet links in theirs
	Broken     []Broken    // what could not be read
	Ignored    []Broken    // parts of magnet links that are not used
	Duplicates []Duplicate // files and links whose info hash another one had before
}

// Broken is a file, folder or magnet link that was skipped because it could not be read.
type Broken struct {
	Path string // relative to the folder that was walked; of a line of a file with its number, as in magnet.txt:3
	Err  error
}

// Duplicate is a file or magnet link that was skipped because its info hash had come before.
type Duplicate struct {
	Path  string // as in Broken
	Of    string // that of the one that is used
	Added int    // trackers and peers of the link that the one that is used had not: they are used
}

// Find looks for *.torrent files in a folder and all folders below it, in the order of their names, and for magnet links in the file
// MagnetFile of the folder itself. It follows symbolic links, and goes into no folder twice. What begins with a dot is skipped, and so
// are folders called testdata. The error is that of the folder itself.
func Find(dir string) (Found, error) {
	c := collection{dir: dir, used: make(map[events.InfoHash]use)}
	err := walk(dir, visitor{wants: isTorrentFile, file: c.add, broken: c.addBroken})
	if err == nil {
		c.addMagnetFile(filepath.Join(dir, MagnetFile))
	}
	return c.Found, err
}

// Read reads the .torrent files and magnet links that are named, the files first. Each info hash comes once; unlike in Find, what is
// broken is an error, because it was asked for.
func Read(arguments ...string) (Found, error) {
	c := collection{used: make(map[events.InfoHash]use)}
	for _, path := range arguments {
		if !IsMagnet(path) {
			c.add(path)
		}
	}
	var errs []error
	for _, b := range c.Broken {
		errs = append(errs, b.Err)
	}
	for i, link := range arguments {
		if !IsMagnet(link) {
			continue
		}
		place := fmt.Sprintf("argument %d", i+1)
		if err := c.addMagnet(place, link); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", place, err))
		}
	}
	return c.Found, errors.Join(errs...)
}

func isTorrentFile(name string) bool { return strings.EqualFold(filepath.Ext(name), ".torrent") }

type collection struct {
	Found
	dir  string // empty where paths stay as they were given
	used map[events.InfoHash]use
}

// use is a torrent that was taken in.
type use struct {
	index int // in Torrents
	path  string
}

func (c *collection) add(path string) {
	t, err := ReadTorrent(path)
	if err != nil {
		c.addBroken(path, err)
		return
	}
	t.Path = c.relative(path)
	c.take(t.Path, t)
}

// take takes in a torrent, or what a magnet link adds to one that came before.
func (c *collection) take(path string, t Torrent) {
	before, again := c.used[t.InfoHash]
	if !again {
		c.used[t.InfoHash] = use{len(c.Torrents), path}
		c.Torrents = append(c.Torrents, t)
		return
	}
	duplicate := Duplicate{Path: path, Of: before.path}
	if t.Magnet {
		duplicate.Added = c.Torrents[before.index].unite(t)
	}
	c.Duplicates = append(c.Duplicates, duplicate)
}

func (c *collection) addBroken(path string, err error) {
	c.Broken = append(c.Broken, Broken{Path: c.relative(path), Err: err})
}

// addMagnet takes in a magnet link from some place.
func (c *collection) addMagnet(place, link string) error {
	m, err := ParseMagnet(link)
	if err != nil {
		return err
	}
	for _, why := range m.Ignored {
		c.Ignored = append(c.Ignored, Broken{place, errors.New(why)})
	}
	c.take(place, m.Torrent)
	return nil
}

// addMagnetFile takes in the links of a file, if there is one.
func (c *collection) addMagnetFile(path string) {
	data, err := ReadFile(path, maxMagnetFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		c.addBroken(path, err)
		return
	}
	for line, err := range magnetLines(data) {
		place := fmt.Sprintf("%s:%d", c.relative(path), line.number)
		if err == nil {
			err = c.addMagnet(place, line.link)
		}
		if err != nil {
			c.Broken = append(c.Broken, Broken{place, err})
		}
	}
}

func (c *collection) relative(path string) string {
	if relative, err := filepath.Rel(c.dir, path); err == nil && c.dir != "" {
		path = relative
	}
	return filepath.ToSlash(path)
}
