package events

import "time"

// Place is where an address is, as the geolocation files say. Empty and unknown fields are not known.
type Place struct {
	Continent   string // code, such as EU
	Country     string // ISO 3166-1 code, such as DE
	City        string // English name
	HasPosition bool
	Latitude    float64 // degrees; 0 unless HasPosition
	Longitude   float64 // degrees; 0 unless HasPosition
	ASN         Optional
	ASOrg       string
}

// PlaceFound is the place of an address, looked up at capture because only the pseudonym is kept.
type PlaceFound struct {
	Address Address // the pseudonym, with port 0
	Place   Place
}

// StatisticSampled is the state of the recorder itself.
type StatisticSampled struct {
	PeerQueue       uint64 // peers that wait to be contacted
	ActiveOutgoing  uint64 // sessions and attempts
	ActiveIncoming  uint64
	OutgoingLimit   uint64        // --sessions
	IncomingLimit   uint64        // --incoming-sessions; 0 when not listening
	AwaitingCommit  uint64        // events appended and not yet durable
	LogWaits        uint64        // since the start: appends that had to wait for the log
	LogWaitTime     time.Duration // since the start: the sum of these waits
	Load15          float64       // load average of 15 minutes; NaN when not known
	PeakMemory      uint64        // bytes; 0 when not known
	WallClockOffset time.Duration // wall clock less run clock
	KnownPeers      uint64        // endpoints that the schedule knows
	OpenDescriptors Optional
	DescriptorLimit Optional
}

// Kind is KindPlaceFound.
func (*PlaceFound) Kind() Kind { return KindPlaceFound }

// Kind is KindStatisticSampled.
func (*StatisticSampled) Kind() Kind { return KindStatisticSampled }

func (p *Place) fields(c *codec) {
	c.text(&p.Continent)
	c.text(&p.Country)
	c.text(&p.City)
	c.flag(&p.HasPosition)
	c.float(&p.Latitude)
	c.float(&p.Longitude)
	c.optional(&p.ASN)
	c.text(&p.ASOrg)
}

func (e *PlaceFound) fields(c *codec) {
	c.address(&e.Address)
	c.group(e.Place.fields)
}

func (e *StatisticSampled) fields(c *codec) {
	unsigned(c, &e.PeerQueue)
	unsigned(c, &e.ActiveOutgoing)
	unsigned(c, &e.ActiveIncoming)
	unsigned(c, &e.OutgoingLimit)
	unsigned(c, &e.IncomingLimit)
	unsigned(c, &e.AwaitingCommit)
	unsigned(c, &e.LogWaits)
	c.duration(&e.LogWaitTime)
	c.float(&e.Load15)
	unsigned(c, &e.PeakMemory)
	c.duration(&e.WallClockOffset)
	unsigned(c, &e.KnownPeers)
	c.optional(&e.OpenDescriptors)
	c.optional(&e.DescriptorLimit)
}
