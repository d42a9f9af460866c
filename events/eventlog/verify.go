package eventlog

import (
	"bytes"
	"fmt"

	"btda/events"
)

// Verification says what of a log is proven to be as it was written.
type Verification struct {
	Run     events.RunID
	Records uint64
	Last    events.Seq // of the last record; 0 for none
	Blocks  uint64
	Head    [32]byte // chain hash of the last block
	Digest  [32]byte // content digest of all records
	// Sealed says that the log ended in order: nothing is missing at the end. Otherwise the end cannot be proven.
	Sealed bool
}

// String says it in one line.
func (v Verification) String() string {
	if v.Sealed {
		return fmt.Sprintf("valid and complete: %d records, sealed", v.Records)
	}
	return fmt.Sprintf("valid up to record %d; there is no seal, because the recorder did not end in order: the end cannot be proven", v.Last)
}

// Verify reads all of a log, recomputes its chain, and compares the copies of its definitions and its seal. The error names
// the first bad place and wraps ErrDamaged. Beside an error, the Verification holds what was read before that place.
func Verify(dir string, o Options) (Verification, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Verification{}, err
	}
	r, err := Open(dir, o)
	if err != nil {
		return Verification{}, err
	}
	defer r.Close()
	v := verifier{reader: r, chain: hashOf(formatRecord())}
	v.result.Run = r.run
	err = v.run()
	if err == nil && !v.result.Sealed {
		err = unread{r.fs, dir, v.result.Last}.search()
	}
	if err != nil {
		return v.result, fmt.Errorf("eventlog: %s: %w", dir, err)
	}
	return v.result, nil
}

// verifier goes through a log once.
type verifier struct {
	reader      *Reader
	result      Verification
	chain       chainHash
	definitions uint64
	expected    uint64 // definitions
}

func (v *verifier) run() error {
	if err := v.keys(); err != nil {
		return err
	}
	if err := v.blocks(); err != nil {
		return err
	}
	return v.end()
}

// keys counts the definitions, and refuses keys of no known space.
func (v *verifier) keys() error {
	iter, err := v.reader.store.iterate(nil, nil)
	if err != nil {
		return err
	}
	defer iter.Close()
	for ok := iter.First(); ok; ok = iter.Next() {
		switch key := iter.Key(); {
		case bytes.Equal(key, formatKey), bytes.Equal(key, sealKey):
		case len(key) == 9 && key[0] == spaceBlock:
		case len(key) == 9 && key[0] == spaceDefinition:
			v.definitions++
		default:
			return fmt.Errorf("key %x: %w: no key of an event log", key, ErrDamaged)
		}
	}
	return iter.Error()
}

// blocks goes through all records, block by block.
func (v *verifier) blocks() error {
	s := v.reader.Scan(1)
	defer s.Close()
	s.inspect = v
	for s.Next() {
	}
	v.result.Digest = s.Digest()
	return s.Err()
}

// block checks the chain.
func (v *verifier) block(value []byte) error {
	if previous := getHeader(value).previous; previous != v.chain {
		return damagedf(headerPrevious, "the block follows one with hash %v, but the one before has %v", previous, v.chain)
	}
	v.chain = hashOf(value)
	v.result.Blocks++
	return nil
}

// record compares a record with its copy.
func (v *verifier) record(f *frame) error {
	v.result.Records++
	v.result.Last = f.seq
	if !defines(f.kind) {
		return nil
	}
	v.expected++
	key := seqKey(spaceDefinition, f.seq)
	stored, err := v.reader.store.get(key)
	if err != nil {
		return err
	}
	b := block{buf: f.payload}
	want := b.definitionValue(nil, definition{f.seq, f.time, f.kind, f.version, 0, len(f.payload)})
	if !bytes.Equal(stored, want) {
		return fmt.Errorf("%w: the copy of record %d under key %x differs from it", ErrDamaged, f.seq, key)
	}
	return nil
}

func (v *verifier) end() error {
	if v.definitions != v.expected {
		return fmt.Errorf("%w: %d copies of definitions, want %d", ErrDamaged, v.definitions, v.expected)
	}
	v.result.Head = v.chain
	seal, sealed := v.reader.Sealed()
	if !sealed {
		return nil
	}
	if got := (Seal{v.result.Records, v.result.Last, v.result.Blocks, v.chain}); got != seal {
		return fmt.Errorf("%w: sealed are %v, but there are %v", ErrDamaged, seal, got)
	}
	v.result.Sealed = true
	return nil
}
