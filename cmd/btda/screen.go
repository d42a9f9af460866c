package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
)

// screenSize is that of a terminal; 0 is not known.
type screenSize struct{ columns, rows int }

// screen keeps some lines at the end of a terminal up to date, in place. What is written meanwhile goes above them.
type screen struct {
	out  io.Writer
	size func() screenSize

	mu    sync.Mutex
	lines []string
	drawn int // lines on the terminal
}

// Write writes whole lines above those that are kept.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	s.erase(&b)
	b.Write(p)
	s.draw(&b)
	if _, err := io.WriteString(s.out, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// show replaces the lines that are kept.
func (s *screen) show(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	s.erase(&b)
	s.lines = lines
	s.draw(&b)
	_, _ = io.WriteString(s.out, b.String()) // a terminal that is gone is no reason to stop
}

// erase goes up to the first line and clears from there on.
func (s *screen) erase(b *strings.Builder) {
	if s.drawn > 0 {
		fmt.Fprintf(b, "\r\x1b[%dA\x1b[J", s.drawn)
	}
}

// draw writes the lines, each cut to the width, so that none takes two rows.
func (s *screen) draw(b *strings.Builder) {
	size := s.size()
	for _, line := range s.lines {
		b.WriteString(fit(line, size.columns-1))
		b.WriteByte('\n')
	}
	s.drawn = len(s.lines)
}

// fit cuts a text to a width; a width that is not positive is no bound.
func fit(text string, width int) string {
	if width <= 0 || widthOf(text) <= width {
		return text
	}
	taken := 1 // for the dots
	for i, r := range text {
		if taken += widthOf(string(r)); taken > width {
			return text[:i] + "…"
		}
	}
	return text
}

// widthOf is how many columns a text takes at the most: two for each letter that may be wide, as those of East Asia are.
func widthOf(text string) (columns int) {
	const firstWide = 0x1100
	for _, r := range text {
		if columns++; r >= firstWide && r != '…' {
			columns++
		}
	}
	return columns
}

// printable replaces what may not go to a terminal, where a name that somebody chose could otherwise move the cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
