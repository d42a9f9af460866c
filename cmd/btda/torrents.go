package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"

	"btda/input"
)

// selection says which torrents are to be recorded: those that are named by file or magnet link, or without names all below the folder.
type selection struct {
	folder string
	names  []string
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
	for _, i := range found.Ignored {
		fmt.Fprintf(out, "not used of %s: %v\n", i.Path, i.Err)
	}
	for _, d := range found.Duplicates {
		fmt.Fprintf(out, "skipped %s: the same torrent as %s%s\n", d.Path, d.Of, addition(d.Added))
	}
	if len(found.Torrents) == 0 {
		return nil, fmt.Errorf("no torrent to record: no *.torrent file below %s and no magnet link in its %s can be used: put one there, or name it: btda record FILE.torrent",
			s.folder, input.MagnetFile)
	}
	return found.Torrents, nil
}

// addition tells what is used of a magnet link whose torrent is recorded anyway.
func addition(parts int) string {
	if parts == 0 {
		return ""
	}
	return "; what it adds, trackers or peers, is used: " + strconv.Itoa(parts)
}

func (s selection) read() (input.Found, error) {
	if len(s.names) > 0 {
		found, err := input.Read(s.names...)
		for i := range found.Torrents {
			if t := &found.Torrents[i]; !t.Magnet {
				t.Path = s.inFolder(t.Path)
			}
		}
		if err != nil {
			err = fmt.Errorf("%w\nname .torrent files that can be read and whole magnet links in quotes, or put them below %s and name none", err, s.folder)
		}
		return found, err
	}
	found, err := input.Find(s.folder)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("no torrent to record: there is no folder %s: make it and put .torrent files or a %s there, or name them: btda record FILE.torrent", s.folder, input.MagnetFile)
	}
	return found, err
}

// inFolder gives a path relative to the folder where it lies in it, so that a torrent is called the same whether it was named or
// found. Other paths stay as they are.
func (s selection) inFolder(path string) string {
	folder, err := filepath.Abs(s.folder)
	if err != nil {
		return path
	}
	absolute, err := filepath.Abs(filepath.FromSlash(path))
	if err != nil {
		return path
	}
	if relative, err := filepath.Rel(folder, absolute); err == nil && filepath.IsLocal(relative) {
		return filepath.ToSlash(relative)
	}
	return path
}
