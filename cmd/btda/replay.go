package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"btda/events/pieces"
	"btda/projections"
	"btda/replay"
)

// replayFlags are the flags of replay as they are written.
type replayFlags struct {
	output, identity, from     string
	thresholds                 []string
	until, torrents, bySources []string
	follow                     bool
	sources                    sourceFlags
	options                    replay.Options
}

func newReplay() *cobra.Command {
	f := replayFlags{options: replay.DefaultOptions()}
	command := &cobra.Command{
		Use:   "replay LOG ... [-o FILE.sqlite]",
		Short: "Replay logs into a SQLite file",
		Long: `Replay one or several logs into a fresh SQLite file. The same logs, options and geolocation files give the same file, byte for byte.
A file that exists is replaced when the replay has succeeded.

With --until the result is that of logs that end there. --from, --torrent and --source choose rows: what these say comes from all
records nevertheless. Logs of several recorders, or of one after the other, become one result, in which a torrent is one and a peer too.

With --follow LOG is one log that a recorder offers at an endpoint, and the tables in the file are kept up to date while others may read
them. It may be stopped at any time, and goes on when it is called again.

Places come from geolocation files: GeoLite2-City, DB-IP City Lite and GeoLite2-ASN (*.mmdb). Without one the columns for places are NULL.`,
		Example: `  btda replay output/2026-01-31_12-00-00_host.events
  btda replay a.events b.events -o both.sqlite --identity ip
  btda replay a.events --until 2026-01-31T18:00:00Z -o evening.sqlite
  btda replay --follow /run/user/1000/btda.sock -o now.sqlite`,
		Args: func(_ *cobra.Command, logs []string) error { return f.locate(logs) },
		RunE: func(c *cobra.Command, _ []string) error { return f.replay(c) },
	}
	f.add(command)
	completeReplay(command)
	return command
}

func (f *replayFlags) add(command *cobra.Command) {
	flags, defaults := command.Flags(), &f.options.Projections
	flags.StringVarP(&f.output, "output", "o", "", "`file` to write (default the name of the log with .sqlite; needed with several logs)")
	flags.StringSliceVar(&f.thresholds, "threshold", nil, "`share` of all pieces from which a peer counts as complete, such as 0.98 (default that of the recorder); of several, as in 0.98,0.5 or repeated, the first counts, and all are in threshold_sweep (default "+sweepText()+")")
	flags.StringVar(&f.identity, "identity", string(defaults.Identity), "what makes one peer: "+strings.Join(identityNames(), ", "))
	flags.DurationVar(&defaults.Settle, "settle", defaults.Settle, "time after the first availability of a session in which all still belongs to it")
	flags.BoolVar(&defaults.WithAddresses, "with-addresses", false, "fill the columns that hold addresses and peer ids (default off)")
	flags.BoolVar(&defaults.MixedPseudonyms, "mixed-pseudonyms", false, "join logs whose pseudonyms have different keys; a peer then counts once for each (default off)")
	flags.StringSliceVar(&f.until, "until", nil, "`time` such as 2026-01-31T18:00:00Z (UTC without a zone), or the number of the last event; with several logs RUN:NUMBER for each, RUN being the first digits of its id (default the end)")
	flags.StringVar(&f.from, "from", "", "write only rows of this `time` or later; counts for a whole torrent stay those of the whole log (default the beginning)")
	flags.StringSliceVar(&f.torrents, "torrent", nil, "write only rows of the torrent with this info `hash` (repeatable; default all)")
	flags.StringSliceVar(&f.bySources, "source", nil, "write only what came by this `source`: "+strings.Join(sourceNames(), ", ")+" (repeatable; default all)")
	flags.BoolVar(&f.follow, "follow", false, "keep the tables of a log up to date until it ends: LOG is the endpoint of a recorder (btda record --endpoint), or a log that ended, for a file that lacks its end (default off)")
	f.sources.add(command)
}

func sourceNames() (names []string) {
	for _, s := range replay.Sources() {
		names = append(names, s.String())
	}
	return names
}

func identityNames() (names []string) {
	for _, i := range projections.Identities() {
		names = append(names, string(i))
	}
	return names
}

func sweepText() string {
	var texts []string
	for _, threshold := range projections.DefaultSweep() {
		texts = append(texts, threshold.String())
	}
	return strings.Join(texts, ", ")
}

// locate takes the logs, and names the output after the log where there is one and no name.
func (f *replayFlags) locate(logs []string) error {
	f.options.Logs, f.options.Output = logs, f.output
	switch {
	case len(logs) == 0:
		return usageError{errors.New("want the folders of one log or more")}
	case len(logs) > 1 && f.follow:
		return usageError{errors.New("only one log can be followed")}
	case len(logs) > 1 && f.output == "":
		return usageError{errors.New("with several logs the file to write must be named: -o FILE.sqlite")}
	case f.output == "":
		return f.nameOutput(logs[0])
	}
	return nil
}

// nameOutput names the output after a log. Of a path such as . the name is found out first: the file belongs beside the log.
func (f *replayFlags) nameOutput(log string) error {
	log = filepath.Clean(log)
	if base := filepath.Base(log); base == "." || base == ".." {
		absolute, err := filepath.Abs(log)
		if err != nil {
			return fmt.Errorf("name the file to write with -o FILE.sqlite, for the folder of the log cannot be told: %w", err)
		}
		log = absolute
	}
	f.options.Output = strings.TrimSuffix(strings.TrimSuffix(log, ".events"), ".sock") + ".sqlite"
	return nil
}

func (f *replayFlags) replay(c *cobra.Command) error {
	if err := f.understand(); err != nil {
		return usageError{err}
	}
	places, err := f.sources.openPlaces(c.Flags().Changed("input"))
	if err != nil {
		return err
	}
	if len(places.Files()) > 0 {
		f.options.Projections.Places, f.options.PlaceFiles = places, placeFiles(places)
	}
	if f.options.SQL, err = f.sources.readSQL(); err != nil {
		return err
	}
	if f.follow {
		return f.runFollower(c)
	}
	return f.run(c)
}

// understand reads the flags that are more than text.
func (f *replayFlags) understand() (err error) {
	o := &f.options.Projections
	if o.Identity, err = projections.ParseIdentity(f.identity); err != nil {
		return err
	}
	if o.Settle < 0 {
		return fmt.Errorf("--settle %v: want no negative time", o.Settle)
	}
	if f.options.Until, err = replay.ParseUntil(f.until...); err != nil {
		return fmt.Errorf("--until %w", err)
	}
	if f.follow && (f.until != nil || f.from != "" || f.torrents != nil || f.bySources != nil || f.sources.sql != "") {
		return errors.New("--follow keeps all of a log: --until, --from, --torrent, --source and --sql are for a replay")
	}
	if err := f.understandSelection(&f.options.Selection); err != nil {
		return err
	}
	return f.understandThresholds()
}

// understandSelection reads the flags that choose rows.
func (f *replayFlags) understandSelection(s *replay.Selection) (err error) {
	if f.from != "" {
		if s.From, err = replay.ParseTime(f.from); err != nil {
			return fmt.Errorf("--from %w", err)
		}
	}
	for _, text := range f.torrents {
		hash, err := replay.ParseInfoHash(text)
		if err != nil {
			return fmt.Errorf("--torrent %w", err)
		}
		s.Torrents = append(s.Torrents, hash)
	}
	for _, text := range f.bySources {
		source, err := replay.ParseSource(text)
		if err != nil {
			return fmt.Errorf("--source %w", err)
		}
		s.Sources = append(s.Sources, source)
	}
	return nil
}

// understandThresholds takes the first for the one that counts. Only several replace the default sweep.
func (f *replayFlags) understandThresholds() error {
	o := &f.options.Projections
	if len(f.thresholds) > 1 {
		o.Sweep = nil
	}
	for i, text := range f.thresholds {
		threshold, err := pieces.ParseFraction(text)
		if err == nil && threshold.Compare(pieces.Fraction{}) == 0 {
			err = errors.New("want more than 0: every peer would count as complete")
		}
		if err != nil {
			return fmt.Errorf("--threshold %s: %w", text, err)
		}
		if i == 0 {
			o.Threshold = &threshold
		} else {
			o.Sweep = append(o.Sweep, threshold)
		}
	}
	return nil
}

func (f *replayFlags) run(c *cobra.Command) error {
	ctx, stop := untilInterrupted(c.Context())
	defer stop()
	f.options.Progress = new(replay.Progress)
	shown := showReplay(ctx, c.ErrOrStderr(), f.options.Progress)
	result, err := replay.Run(ctx, f.options)
	shown.end()
	if ctx.Err() != nil && err != nil {
		return fmt.Errorf("%w: nothing was written", err)
	}
	if err != nil {
		return err
	}
	f.tellOfPlaces(c.ErrOrStderr())
	return f.report(c.OutOrStdout(), &result)
}

// tellOfPlaces says why the columns for places are empty, and what to do about it.
func (f *replayFlags) tellOfPlaces(out io.Writer) {
	if len(f.options.PlaceFiles) == 0 {
		fmt.Fprintf(out, "no geolocation file, places are NULL: get DB-IP City Lite (https://db-ip.com/db/download/ip-to-city-lite) or GeoLite2-City (https://dev.maxmind.com/geoip/geolite2-free-geolocation-data) and put the .mmdb into %s, or name it with --places\n", f.sources.folder)
	}
}

// report says what was replayed.
func (f *replayFlags) report(out io.Writer, result *replay.Result) error {
	var text strings.Builder
	for _, d := range result.Duplicates {
		fmt.Fprintf(&text, "%s: not counted, another log holds the same run %v\n", d.Path, d.Run)
	}
	for _, path := range result.Later {
		fmt.Fprintf(&text, "%s: not counted, it begins after --until\n", path)
	}
	for _, bound := range result.Unreached {
		fmt.Fprintf(&text, "--until %s is behind the end and cuts nothing off\n", bound)
	}
	for _, run := range result.Runs {
		switch run.Ending {
		case replay.Open:
			fmt.Fprintf(&text, "%s: the recorder did not end in order; replayed up to event %d, and it cannot be proven that there was no more\n", run.Path, run.Last)
		case replay.Cut:
			fmt.Fprintf(&text, "%s: replayed up to event %d, %v\n", run.Path, run.Last, run.End)
		}
	}
	for _, s := range result.Skipped() {
		fmt.Fprintf(&text, "%d events of kind %v are not known to this version of btda, or not in their version, and were skipped\n", s.Count, s.Kind)
	}
	for _, table := range result.Tables {
		fmt.Fprintf(&text, "%-15s %d rows\n", table.Name, table.Rows)
	}
	if result.Partial {
		fmt.Fprintln(&text, "the result is partial, and says so in provenance")
	}
	fmt.Fprintf(&text, "replayed %d events into %s\n", result.Events(), f.options.Output)
	_, err := io.WriteString(out, text.String())
	return err
}
