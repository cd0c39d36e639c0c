package command

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/term"
)

// redrawEvery is the pace of a progress bar.
const redrawEvery = 100 * time.Millisecond

// showProgress shows a transfer until its updates end: a bar on a terminal, a line at the start elsewhere.
func showProgress(w io.Writer, title string, updates <-chan v1.Update) {
	width := terminalWidth(w)
	if width == 0 {
		fmt.Fprintln(w, title)
		for range updates {
		}
		return
	}
	var latest v1.Update
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	defer fmt.Fprint(w, "\r\x1b[K") // the result takes the bar's line
	for {
		select {
		case u, ok := <-updates:
			if !ok {
				return
			}
			if u.Error == nil {
				latest = u
			}
		case <-tick.C:
			fmt.Fprint(w, "\r"+progressLine(title, latest.Complete, latest.Total, width)+"\x1b[K")
		}
	}
}

// showTransfer shows a transfer in the background; what it returns is closed when the last update is shown.
func showTransfer(w io.Writer, quiet bool, title string, updates <-chan v1.Update) <-chan struct{} {
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		if !quiet {
			showProgress(w, title, updates)
		}
		for range updates { // none, when they were shown
		}
	}()
	return shown
}

// terminalWidth is in columns; zero means that w is no terminal.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// progressLine is one line of a transfer, no wider than width.
func progressLine(title string, done, total int64, width int) string {
	amount := fmt.Sprintf(" %s / %s", humanSize(done), humanSize(total))
	const bar = 24
	filled := 0
	if total > 0 {
		filled = int(bar * min(done, total) / total)
	}
	picture := " [" + strings.Repeat("=", filled) + strings.Repeat(" ", bar-filled) + "]"
	if room := width - 1 - len(picture) - len(amount); room >= len(title) {
		return title + picture + amount
	}
	line := title + amount
	return line[:min(len(line), max(width-1, 0))]
}

// humanSize is a number of bytes as people read it, in powers of 1000 as registries and disks count.
func humanSize(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		if value /= 1000; value < 999.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
