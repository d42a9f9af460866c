package events

// An extension handshake comes once a session, but it has so many fields that the codec's walk of it took a seventh of
// the time of reading a log.

func (e *ExtensionHandshakeReceived) append(b []byte) []byte {
	b = appendUint(append(b, 0x9e), uint64(e.Session))
	b = appendArrayHeader(b, len(e.Extensions))
	for i := range e.Extensions {
		b = appendString(append(b, 0x92), e.Extensions[i].Name)
		b = appendUint(b, uint64(e.Extensions[i].ID))
	}
	b = appendString(b, e.Client)
	b = appendOptional(b, e.Port)
	b = appendOptional(b, e.RequestQueue)
	b = appendOptional(b, e.MetadataSize)
	b = appendOptional(b, e.UploadOnly)
	b = appendOptional(b, e.Encrypted)
	b = appendBytes(b, e.YourIP)
	b = appendBytes(b, e.IPv4)
	b = appendBytes(b, e.IPv6)
	b = appendFlag(b, e.Malformed)
	b = appendUint(b, uint64(e.Length))
	return appendBytes(b, e.Raw)
}

func (e *ExtensionHandshakeReceived) read(p []byte, c *codec) bool {
	session, p := cutUint(cutArray(p, 14))
	p = cutExtensions(p, &e.Extensions, c)
	p = cutText(p, &e.Client, c)
	e.Port, p = cutOptional(p)
	e.RequestQueue, p = cutOptional(p)
	e.MetadataSize, p = cutOptional(p)
	e.UploadOnly, p = cutOptional(p)
	e.Encrypted, p = cutOptional(p)
	e.YourIP, p = cutBytes(p)
	e.IPv4, p = cutBytes(p)
	e.IPv6, p = cutBytes(p)
	e.Malformed, p = cutFlag(p)
	length, p := cutUint(p)
	e.Raw, p = cutBytes(p)
	e.Session, e.Length = SessionNumber(session), uint32(length)
	return allRead(p) && fit32(length)
}

// cutExtensions cuts a list of less than 16 extensions into v, whose space it uses again.
func cutExtensions(p []byte, v *[]Extension, c *codec) []byte {
	if len(p) == 0 || p[0]&0xf0 != 0x90 {
		return nil
	}
	n := int(p[0] & 0x0f)
	if n > cap(*v) {
		*v = make([]Extension, 15)
	}
	*v = (*v)[:n]
	p = p[1:]
	for i := range *v {
		x := &(*v)[i]
		p = cutText(cutArray(p, 2), &x.Name, c)
		var id uint64
		if id, p = cutUint(p); id > 0xff {
			return nil
		}
		x.ID = uint8(id)
	}
	return p
}

func cutFlag(p []byte) (bool, []byte) {
	if len(p) == 0 || p[0]&^1 != 0xc2 {
		return false, nil
	}
	return p[0] == 0xc3, p[1:]
}
