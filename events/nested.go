package events

import "encoding/binary"

// list reads and writes an array of values, each with its own fields. A decoded list uses the space of the
// slice that is there.
func list[T any](c *codec, v *[]T, each func(*codec, *T)) {
	if !c.decoding {
		c.fields++
		c.buf = appendArrayHeader(c.buf, len(*v))
		outer := c.fields
		for i := range *v {
			each(c, &(*v)[i])
		}
		c.fields = outer
		return
	}
	*v = (*v)[:0]
	if !c.next() {
		return
	}
	outer, n := c.fields, c.readArrayHeader()
	if n > len(c.buf) {
		c.fail("an array of %d elements in %d bytes", n, len(c.buf))
		return
	}
	var empty T
	for i := range n {
		*v = append(*v, empty)
		c.fields = 1
		each(c, &(*v)[i])
		if c.err != nil {
			return
		}
	}
	c.fields = outer
}

// group reads and writes a nested array of fields.
func (c *codec) group(fields func(*codec)) {
	outer := c.fields
	if !c.decoding {
		c.array(fields)
		c.fields = outer + 1
		return
	}
	if !c.next() {
		fields(c) // all to zero
		return
	}
	outer = c.fields
	c.array(fields)
	c.fields = outer
}

// array reads and writes an array header and the fields below it.
func (c *codec) array(fields func(*codec)) {
	if !c.decoding {
		at := len(c.buf)
		c.buf = append(c.buf, 0x90)
		c.fields = 0
		fields(c)
		c.closeArray(at)
		return
	}
	c.fields = c.readArrayHeader()
	fields(c)
	c.skipNewerFields()
}

// closeArray writes the number of fields into the array header at position at.
func (c *codec) closeArray(at int) {
	if c.fields <= 15 {
		c.buf[at] = 0x90 | byte(c.fields)
		return
	}
	c.buf = append(c.buf, 0, 0)
	copy(c.buf[at+3:], c.buf[at+1:len(c.buf)-2])
	c.buf[at] = 0xdc
	binary.BigEndian.PutUint16(c.buf[at+1:], uint16(c.fields))
}

// skipNewerFields passes over what a newer program appended.
func (c *codec) skipNewerFields() {
	for c.next() {
		c.skip(0)
	}
}
