package footprint

import (
	"strings"
	"testing"
)

const text = `00400000-02a5b000 r-xp 00000000 fe:00 658431                             /usr/local/bin/leme
Size:              39276 kB
Rss:               27436 kB
Anonymous:             0 kB
Locked:                0 kB
VmFlags: rd ex mr mw me
`

func TestWhatIsClean(t *testing.T) {
	for name, c := range map[string]struct {
		change [2]string // of text
		clean  bool
	}{
		"the program":              {[2]string{}, true},
		"a file shared to be read": {[2]string{"r-xp", "r--s"}, true},
		"a name with blanks":       {[2]string{"leme\n", "leme (deleted)\n"}, true},
		"what may be written":      {[2]string{"r-xp", "rw-p"}, false},
		"what was written":         {[2]string{"Anonymous:             0", "Anonymous:             4"}, false},
		"what is locked":           {[2]string{"Locked:                0", "Locked:                8"}, false},
		"what is not there":        {[2]string{"27436", "0"}, false},
		"the kernel's own":         {[2]string{"/usr/local/bin/leme", "[vdso]"}, false},
		"memory of no file":        {[2]string{"/usr/local/bin/leme", ""}, false},
	} {
		all, err := parseMappings(strings.NewReader(strings.Replace(text, c.change[0], c.change[1], 1)))
		if err != nil || len(all) != 1 {
			t.Errorf("%s: %+v, %v", name, all, err)
			continue
		}
		if m := all[0]; m.clean() != c.clean || m.start != 0x400000 || m.end != 0x2a5b000 {
			t.Errorf("%s: %+v, clean %t", name, m, m.clean())
		}
	}
}

func TestNoMappings(t *testing.T) {
	for _, wrong := range []string{"Rss: 4 kB\n", "00400000 r-xp 0 0 0\n", "0-1 r-xp\n", "x-1 r-xp 0 0 0\n", "0-x r-xp 0 0 0\n", "0-1 r-xp 0 0 0 /x\nRss: much\n"} {
		if all, err := parseMappings(strings.NewReader(wrong)); err == nil {
			t.Errorf("%q: %+v", wrong, all)
		}
	}
}

func FuzzParseMappings(f *testing.F) {
	f.Add(text)
	f.Fuzz(func(t *testing.T, smaps string) {
		all, err := parseMappings(strings.NewReader(smaps))
		if err != nil && all != nil {
			t.Errorf("%+v and %v", all, err)
		}
	})
}
