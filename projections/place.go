package projections

import (
	"net/netip"

	"btda/events"
)

// places tells where addresses are: as the log says, where it holds pseudonyms, else as the finder says.
type places struct {
	finder PlaceFinder // may be nil
	stored map[netip.Addr]storedPlace
}

// storedPlace is what the log says of an address, and where it last said so.
type storedPlace struct {
	events.Place
	revision Position
}

func (p *places) found(at moment, e *events.PlaceFound) {
	p.stored[e.Address.Addr()] = storedPlace{e.Place, at.position}
}

// changed reports whether the place of an address may have changed since a position.
func (p *places) changed(a netip.Addr, since Position) bool { return p.stored[a].revision > since }

// find gives an empty place for an address that nobody knows.
func (p *places) find(a netip.Addr) events.Place {
	if place, ok := p.stored[a]; ok {
		return place.Place
	}
	if p.finder != nil {
		if place, ok := p.finder.Find(a); ok {
			return place
		}
	}
	return events.Place{}
}
