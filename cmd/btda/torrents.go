package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"btda/input"
)

// selection says which torrents are to be recorded: those with a name, or without names all below the folder.
type selection struct {
	folder string
	paths  []string
}

// torrentsToRecord reads the torrents of a selection. What is skipped is named on out.
func torrentsToRecord(out io.Writer, s selection) ([]input.Torrent, error) {
	found, err := s.read()
	if err != nil {
		return nil, err
	}
	for _, b := range found.Broken {
		fmt.Fprintf(out, "skipped %s: %v\n", b.Path, b.Err)
	}
	for _, d := range found.Duplicates {
		fmt.Fprintf(out, "skipped %s: the same torrent as %s\n", d.Path, d.Of)
	}
	if len(found.Torrents) == 0 {
		return nil, fmt.Errorf("no torrent to record: no *.torrent file below %s can be used: put one there, or name it: btda record FILE.torrent", s.folder)
	}
	return found.Torrents, nil
}

func (s selection) read() (input.Found, error) {
	if len(s.paths) > 0 {
		return input.ReadTorrents(s.paths...)
	}
	found, err := input.Find(s.folder)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("no torrent to record: there is no folder %s: make it and put .torrent files there, or name them: btda record FILE.torrent", s.folder)
	}
	return found, err
}
