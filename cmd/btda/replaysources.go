package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"btda/input"
	"btda/replay"
)

// sourceFlags name what a replay needs beside logs.
type sourceFlags struct {
	folder, sql string
	places      []string
}

func (f *sourceFlags) add(command *cobra.Command) {
	flags := command.Flags()
	flags.StringArrayVar(&f.places, "places", nil, "geolocation `file` (repeatable; default all *.mmdb below the input folder)")
	flags.StringVar(&f.folder, "input", "input", "`folder` in which to look for geolocation files, walked recursively")
	flags.StringVar(&f.sql, "sql", "", "`file` of SQL to run over the result, in the same transaction; its tables and views become part of it (default none)")
	completeFlag(command, "input", folders)
	completeFlag(command, "places", files("mmdb"))
	completeFlag(command, "sql", files("sql"))
}

// openPlaces reads the geolocation files that are named, or all below the folder. The folder may be missing unless it was asked for.
func (f *sourceFlags) openPlaces(asked bool) (*input.Places, error) {
	if len(f.places) > 0 {
		places, err := input.OpenPlaces(f.places...)
		if err != nil {
			err = fmt.Errorf("cannot read the geolocation files, name others with --places: %w", err)
		}
		return places, err
	}
	places, err := input.FindPlaces(f.folder)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return new(input.Places), nil
	}
	return places, err
}

func placeFiles(places *input.Places) (all []replay.PlaceFile) {
	for _, file := range places.Files() {
		all = append(all, replay.PlaceFile(file))
	}
	return all
}

// readSQL gives nil where no file is named.
func (f *sourceFlags) readSQL() (*replay.SQL, error) {
	if f.sql == "" {
		return nil, nil
	}
	sql, err := replay.ReadSQL(f.sql)
	if err != nil {
		return nil, fmt.Errorf("cannot read the SQL to run: %w", err)
	}
	return sql, nil
}
