package command

import (
	"bytes"
	"strings"
	"testing"

	"github.com/creack/pty"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestProgressOnTerminal sees the bar on a terminal, and the line free again when the transfer is over.
func TestProgressOnTerminal(t *testing.T) {
	master, terminal, err := pty.Open()
	noError(t, err)
	defer master.Close()
	defer terminal.Close()
	noError(t, pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: 80}))
	updates := make(chan v1.Update)
	shown := showTransfer(terminal, false, "Pushing hello", updates)
	updates <- v1.Update{Complete: 500, Total: 1000}

	var seen bytes.Buffer
	until := func(want string) {
		t.Helper()
		part := make([]byte, 256)
		for !strings.Contains(seen.String(), want) {
			n, err := master.Read(part)
			noError(t, err)
			seen.Write(part[:n])
		}
		seen.Reset()
	}
	until("Pushing hello [============            ] 500 B / 1.0 kB")
	close(updates)
	<-shown
	until("\r\x1b[K")
}

// TestProgressElsewhere writes one line where there is no terminal, and none when nothing is to be shown.
func TestProgressElsewhere(t *testing.T) {
	for quiet, want := range map[bool]string{false: "Pushing hello\n", true: ""} {
		var out bytes.Buffer
		updates := make(chan v1.Update, 2)
		updates <- v1.Update{Complete: 500, Total: 1000}
		updates <- v1.Update{Complete: 1000, Total: 1000}
		close(updates)
		<-showTransfer(&out, quiet, "Pushing hello", updates)
		if out.String() != want {
			t.Errorf("quiet %t: %q, want %q", quiet, &out, want)
		}
	}
}
