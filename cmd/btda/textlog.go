package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"btda/recorder"
)

// textLog is the log for people. While it is open, what libraries write to the standard logger goes there too: net/http says a
// line about some answers of trackers, which must not come between the lines on the terminal.
type textLog struct {
	*slog.Logger
	file  *os.File
	flags int       // of the standard logger, before
	out   io.Writer // of the standard logger, before
}

func openTextLog(settings *recorder.Settings) (*textLog, error) {
	if err := os.MkdirAll(filepath.Dir(settings.LogFile), 0o777); err != nil {
		return nil, fmt.Errorf("the folder of the text log cannot be made: %w", err)
	}
	file, err := os.OpenFile(settings.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("the text log cannot be written: %w", err)
	}
	level := slog.LevelInfo
	if settings.Debug {
		level = slog.LevelDebug
	}
	handler := slog.NewTextHandler(file, &slog.HandlerOptions{Level: level})
	t := &textLog{Logger: slog.New(handler), file: file, flags: log.Flags(), out: log.Writer()}
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(handler, slog.LevelWarn).Writer())
	return t, nil
}

// close gives the standard logger back what it had. A text log in which nothing stands is removed: the recording did not begin.
func (t *textLog) close() error {
	log.SetOutput(t.out)
	log.SetFlags(t.flags)
	info, err := t.file.Stat()
	if err == nil && info.Size() == 0 {
		err = os.Remove(t.file.Name())
	}
	return errors.Join(err, t.file.Close())
}
