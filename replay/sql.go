package replay

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"btda/projections/sqlite"
)

// longestSQL is the longest file of SQL that is taken, in bytes.
const longestSQL = 16 << 20

// SQL is a file of statements of the user's own that run over the rows of a result, in the same transaction, so that the tables and views
// that they make are part of it. What they may do says sqlite.Script.
type SQL struct {
	name string
	text string
	sum  string
}

// ReadSQL reads such a file.
func ReadSQL(path string) (*SQL, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longestSQL+1))
	if err != nil {
		return nil, err
	}
	if len(text) > longestSQL {
		return nil, fmt.Errorf("%s: more than %d bytes of SQL", path, longestSQL)
	}
	return &SQL{name: path, text: string(text), sum: fmt.Sprintf("%x", sha256.Sum256(text))}, nil
}

// Sum is the SHA-256 of the file in hexadecimal digits.
func (s *SQL) Sum() string { return s.sum }

// fact is the row of provenance.
func (s *SQL) fact() fact {
	if s == nil {
		return unknown("option.sql")
	}
	return known("option.sql", s.sum)
}

func (s *SQL) run(ctx context.Context, w *sqlite.Writer) error {
	if s == nil {
		return nil
	}
	return w.Run(ctx, sqlite.Script{Name: s.name, Text: s.text})
}
