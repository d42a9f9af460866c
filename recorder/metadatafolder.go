package recorder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"btda/events"
	"btda/input"
)

// metadataFolder keeps the metadata that was fetched, beside the event logs: for each torrent a .torrent file without trackers, named by its
// info hash.
type metadataFolder string

func (r *Recorder) metadataFolder() metadataFolder {
	return metadataFolder(filepath.Join(filepath.Dir(r.settings.Events), "metadata"))
}

func (f metadataFolder) path(hash events.InfoHash) string {
	return filepath.Join(string(f), hash.String()+".torrent")
}

var errKeptHash = errors.New("its hash is not the one in its name")

// read gives metadata that was kept, if its hash is right.
func (f metadataFolder) read(hash events.InfoHash) (input.Torrent, error) {
	t, err := input.ReadTorrent(f.path(hash))
	if err == nil && t.InfoHash != hash {
		err = fmt.Errorf("%s: %w", f.path(hash), errKeptHash)
	}
	return t, err
}

// metadataFailed says why metadata that was kept cannot be used.
func metadataFailed(torrent events.TorrentNumber, err error) *events.MetadataFailed {
	_, unread := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, errKeptHash):
		return &events.MetadataFailed{Torrent: torrent, Reason: events.ReasonHashMismatch}
	case unread:
		return &events.MetadataFailed{Torrent: torrent, Reason: events.ReasonOther, Text: err.Error()}
	}
	return &events.MetadataFailed{Torrent: torrent, Reason: events.ReasonMalformed}
}

// write keeps an info dictionary. It is there as a whole or not at all, also when the recorder or the host ends meanwhile.
func (f metadataFolder) write(hash events.InfoHash, info []byte) error {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(string(f), "."+hash.String()+"-*")
	if err != nil {
		return err
	}
	err = fill(file, []byte("d4:info"), info, []byte("e"))
	if err == nil {
		err = os.Rename(file.Name(), f.path(hash))
	}
	if err != nil {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	return err
}

// fill writes the content of a file and closes it.
func fill(file *os.File, parts ...[]byte) error {
	err := file.Chmod(0o644)
	for _, part := range parts {
		if err == nil {
			_, err = file.Write(part)
		}
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
