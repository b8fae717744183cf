package main

import (
	"bytes"
	"context"
	"os"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// What a terminal is told: to show its other screen without a cursor, and to go back.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
)

// The keys that end a screen.
const (
	keyQuit      = 'q'
	keyInterrupt = 0x03 // Ctrl-C is a key where a program reads the keys
)

// screen is the other screen of a terminal, which keeps what was on the first one.
type screen struct {
	terminal
	keys chan byte   // nil where there is no keyboard
	was  *term.State // of the keyboard, nil where there is none
}

// openScreen shows the other screen. It has to be closed.
func (t terminal) openScreen() *screen {
	s := &screen{terminal: t}
	if t.in != nil && isTerminal(t.in) {
		if was, err := term.MakeRaw(int(t.in.Fd())); err == nil {
			s.was, s.keys = was, make(chan byte, 1)
			go s.read(t.in)
		}
	}
	s.write(enterScreen)
	return s
}

// read takes keys until the keyboard is gone. It may wait for one for as long as the
// program lives: what it reads then is for nobody.
func (s *screen) read(in *os.File) {
	key := make([]byte, 1)
	for {
		if n, err := in.Read(key); err != nil || n == 0 {
			return
		}
		select {
		case s.keys <- key[0]:
		default: // one is enough
		}
	}
}

// draw shows the lines, in one write so that nothing flickers.
func (s *screen) draw(lines []string, l look) {
	var page bytes.Buffer
	page.WriteString("\x1b[H")
	for i, line := range lines {
		if i > 0 {
			page.WriteString("\r\n")
		}
		if l.width > 0 {
			line = text.Trim(line, l.width)
		}
		page.WriteString(line + "\x1b[K")
	}
	page.WriteString("\x1b[J")
	s.write(page.String())
}

// close goes back to the screen as it was.
func (s *screen) close() {
	s.write(leaveScreen)
	if s.was != nil {
		_ = term.Restore(int(s.in.Fd()), s.was) // a terminal that is gone needs no rest
	}
}

func (s *screen) write(text string) { _, _ = s.out.Write([]byte(text)) } // it is seen or not

// pressed is what a key means: whether the screen is to be closed, and with which error.
func pressed(key byte) (end bool, err error) {
	switch key {
	case keyQuit, 'Q':
		return true, nil
	case keyInterrupt:
		return true, context.Canceled
	}
	return false, nil
}
