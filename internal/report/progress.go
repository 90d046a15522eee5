package report

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress tells the person who waits how far something long is: on a terminal in
// one line that changes, else in a line now and then.
type Progress struct {
	bar   *progressbar.ProgressBar // nil: no terminal
	shown bool
	now   func() time.Time
	last  time.Time
}

// redraw is how often the line on a terminal changes.
const redraw = 100 * time.Millisecond

// NewProgress is handed where people read, and the clock.
func NewProgress(out io.Writer, now func() time.Time) *Progress {
	p := &Progress{now: now, last: now()}
	if f, ok := out.(interface{ Fd() uintptr }); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(
			-1, // no more is known yet
			progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(24),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetSpinnerChangeInterval(0), // else a goroutine writes beside us
		)
	}
	return p
}

// Due tells whether it is time to say more: a terminal changes many times a
// second, lines come as seldom as the caller says.
func (p *Progress) Due(every time.Duration) bool {
	if p.bar != nil {
		every = min(every, redraw)
	}
	now := p.now()
	due := now.Sub(p.last) >= every
	if due {
		p.last = now
	}
	return due
}

// Show shows that done of all is done, all being 0 where nobody knows. The text is
// what a terminal has beside the bar, and what say is handed elsewhere.
func (p *Progress) Show(done, all int64, text string, say func(text string)) {
	if p.bar == nil {
		say(text)
		return
	}
	// A terminal that takes no more is found out by what is written after.
	if all > 0 && done < all {
		p.bar.ChangeMax64(all)
		_ = p.bar.Set64(done)
	}
	p.bar.Describe(text)
	p.shown = true
}

// Clear takes the line off the terminal, for others to write there; it comes again
// with the next Show.
func (p *Progress) Clear() {
	if p.shown {
		_ = p.bar.Clear() // as above
		p.shown = false
	}
}
