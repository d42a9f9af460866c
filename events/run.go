package events

// RunStarted is the first event of every log: who recorded, and with which settings.
type RunStarted struct {
	Run           RunID
	Program       string    // name and version of the program
	Configuration []Setting // every setting in force, sorted by name
	Host          string
	PeerID        PeerID    // our own
	Addresses     []Address // our own addresses; the port is the one that trackers are told, at which we listen in passive mode
	// PseudonymKey is a fingerprint of the key of the pseudonyms; empty where addresses are as observed.
	PseudonymKey []byte
}

// Setting is one setting of the recorder, such as {"threshold", "0.98"}. Durations are written as Go writes them.
type Setting struct {
	Name  string
	Value string
}

// Setting gives the value of the setting with a name.
func (e *RunStarted) Setting(name string) (value string, ok bool) {
	for _, s := range e.Configuration {
		if s.Name == name {
			return s.Value, true
		}
	}
	return "", false
}

// RunStopped is the last event of a run that ended in order.
type RunStopped struct {
	Reason Reason
	Text   string // of the error, when Reason is ReasonOther or ReasonWriteFailed
}

// Kind is KindRunStarted.
func (*RunStarted) Kind() Kind { return KindRunStarted }

// Kind is KindRunStopped.
func (*RunStopped) Kind() Kind { return KindRunStopped }

func (e *RunStarted) fields(c *codec) {
	c.fixed(e.Run[:])
	c.text(&e.Program)
	list(c, &e.Configuration, func(c *codec, s *Setting) { c.group(s.fields) })
	c.text(&e.Host)
	c.fixed(e.PeerID[:])
	list(c, &e.Addresses, func(c *codec, a *Address) { c.address(a) })
	c.bytes(&e.PseudonymKey)
}

func (s *Setting) fields(c *codec) {
	c.text(&s.Name)
	c.text(&s.Value)
}

func (e *RunStopped) fields(c *codec) {
	unsigned(c, &e.Reason)
	c.text(&e.Text)
}
