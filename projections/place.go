package projections

import (
	"net/netip"

	"btda/events"
)

// places tells where addresses are: as the log says, where it holds pseudonyms, else as the finder says.
type places struct {
	finder PlaceFinder // may be nil
	stored map[netip.Addr]events.Place
}

func (p *places) found(e *events.PlaceFound) { p.stored[e.Address.Addr()] = e.Place }

// find gives an empty place for an address that nobody knows.
func (p *places) find(a netip.Addr) events.Place {
	if place, ok := p.stored[a]; ok {
		return place
	}
	if p.finder != nil {
		if place, ok := p.finder.Find(a); ok {
			return place
		}
	}
	return events.Place{}
}
