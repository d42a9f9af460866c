package projections

import "btda/events"

// Set is all projections together. It is not safe for concurrent use.
type Set struct{ options Options }

// NewSet makes a set that has seen nothing. The error says which option is wrong.
func NewSet(o Options) (*Set, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Set{options: o}, nil
}

// Define takes in what gives other records their meaning: the run and torrent records, RunStarted, TorrentAdded and
// MetadataReceived, of all runs. It comes before the first Apply; other records are passed over. The error says
// what is missing or contradicts.
func (s *Set) Define(r *events.Record) error { return nil }

// Apply folds one record, in the order of the (merged) log.
func (s *Set) Apply(r *events.Record) {}

// Tables gives the tables as of the last record, in the order of the schema; provenance is not among them.
func (s *Set) Tables() []Table { return nil }
