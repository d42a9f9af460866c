package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"btda/events/eventlog"
	"btda/input"
	"btda/recorder"
)

func newRecord() *cobra.Command {
	settings := recorder.DefaultSettings()
	command := &cobra.Command{
		Use:   "record [flags] [TORRENT|MAGNET ...]",
		Short: "Record live swarms into a log",
		Long: `Record the swarms of .torrent files and magnet links into a log of facts, until interrupted. Without arguments all *.torrent
files below the input folder are recorded, and the magnet links in its magnet.txt, one a line; else only those that are named. What a
magnet link leaves open is asked of the peers, and kept in the output folder for the next time.

Trackers are asked for peers, over HTTP, HTTPS and UDP, and so is the DHT with -d. The peers are contacted over TCP and uTP (-a). With -p
peers are waited for too; with -p alone none is contacted. Private torrents never touch the DHT.

The first interrupt begins the shutdown: trackers are told, sessions closed, the log sealed. The second ends at once; no recorded
event is lost by that either. The last line on standard output says where the log is. Exit codes: 0 done, 1 failed, 2 wrong usage.

Every setting is a flag, an environment variable, and a key of the configuration file; the first of these counts. Lists have commas
in a variable. An empty variable is none.`,
		Example: `  btda record cats.torrent
  btda record -apd --port 6884 cats.torrent
  btda record --input torrents --output logs --duration 34h`,
		RunE: func(c *cobra.Command, torrents []string) error {
			return record(c, settings, torrents)
		},
	}
	addSettings(command.Flags(), &settings)
	addConfig(command)
	completeSettings(command, &settings)
	return command
}

// record runs a recording from the settings on to the last line.
func record(c *cobra.Command, settings recorder.Settings, names []string) error {
	given, err := readSettings(c.Flags(), &settings)
	if err != nil {
		return err
	}
	if _, said := given["active"]; said && !settings.Active && !settings.Passive {
		return given.name(&recorder.SettingError{Setting: "active", Value: "false", Problem: "nothing is left to do; add --passive, or leave it out"})
	}
	settings.Resolve(given.names()...)
	if err := settings.Validate(); err != nil {
		return given.name(err)
	}
	torrents, err := torrentsToRecord(c.ErrOrStderr(), selection{folder: settings.Input, names: names})
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("the name of this host cannot be read: %w", err)
	}
	settings.Locate(time.Now(), host)
	text, err := openTextLog(&settings)
	if err != nil {
		return err
	}
	err = given.name(errors.Join(runRecorder(c, settings, torrents, text.Logger), text.close()))
	if err == nil || errors.Is(err, recorder.ErrDiskFull) || errors.As(err, new(behindError)) { // the log is whole
		_, printed := fmt.Fprintln(c.OutOrStdout(), "recorded", settings.Events)
		err = errors.Join(err, printed)
	}
	return err
}

func runRecorder(c *cobra.Command, settings recorder.Settings, torrents []input.Torrent, logger *slog.Logger) error {
	out := newProgress(c.ErrOrStderr())
	known, err := knownPeers(c.Context(), out, &settings)
	if err != nil {
		return err
	}
	tables, err := newCompanion(c.Context(), &settings, out, logger)
	if err != nil {
		return err
	}
	beside := &company{companion: tables, at: settings.Endpoint}
	stop := newStopper(out)
	r, err := recorder.New(settings, torrents, recorder.Deps{
		CreateLog: func(dir string) (recorder.Log, error) { return createLog(dir, logger, beside) },
		Logger:    logger,
		Known:     known,
		Hurry:     stop.hurry,
		Waiting:   func(what string) { fmt.Fprintf(out, "waiting for %s\n", what) },
		Advise:    func(advice string) { fmt.Fprintln(out, advice) },
	})
	if err != nil {
		return err
	}
	ctx := stop.start(c.Context())
	defer stop.Close()
	fmt.Fprintf(out, "recording %s into %s, text log %s; interrupt to stop\n", torrentCount(len(torrents)), settings.Events, settings.LogFile)
	out.start(ctx, r.Snapshot)
	defer out.finish()
	defer stop.Close()
	if err = r.Run(ctx); err != nil {
		logger.Error("failed", "error", err)
	}
	behind := beside.finish(stop.hurry)
	if err == nil || errors.Is(err, recorder.ErrDiskFull) {
		err = errors.Join(err, behind)
	}
	return err
}

// createLog makes the log, and lets it be followed.
func createLog(dir string, logger *slog.Logger, beside *company) (recorder.Log, error) {
	log, err := eventlog.Create(dir, eventlog.Options{Logger: logger})
	if err != nil {
		return nil, err // a nil *Log would be a Log that is not nil
	}
	if err := beside.start(log); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return log, nil
}

func torrentCount(n int) string {
	if n == 1 {
		return "1 torrent"
	}
	return fmt.Sprintf("%d torrents", n)
}
