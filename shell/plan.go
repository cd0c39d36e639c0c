package shell

import (
	"slices"

	"leme/shell/command"
	"leme/shell/line"
)

// plan says how a pipeline runs: as one command in this process, or as programs side by side.
type plan struct {
	inProcess bool
	stages    []stage
}

// stage is one program of a plan: one of Leme's commands, or text for the system's shell.
type stage struct {
	words     []string // empty for the system's
	system    string
	redirects []line.Redirect
}

// planStep decides. mode tells for a command of Leme's whether it may run in this process; a pipe never does.
func planStep(step line.Step, mode func(words []string) command.Mode) plan {
	var p plan
	for i, s := range step.Stages {
		words := ownWords(s.Words)
		switch {
		case s.System:
			p.system(s.Raw, i > 0)
		case i > 0 && !readsPipe(words):
			p.system(s.Raw, true)
		default:
			p.stages = append(p.stages, stage{words: words, redirects: s.Redirects})
		}
	}
	p.inProcess = len(p.stages) == 1 && p.stages[0].system == "" && mode(p.stages[0].words) == command.InProcess
	return p
}

// system adds text for the system's shell. Neighbours share one shell: it connects them itself.
func (p *plan) system(text string, piped bool) {
	if n := len(p.stages); piped && n > 0 && p.stages[n-1].system != "" {
		p.stages[n-1].system += " | " + text
		return
	}
	p.stages = append(p.stages, stage{system: text})
}

// ownWords drops this program's name, and kubectl's, from the front: lines are pasted from elsewhere.
func ownWords(words []string) []string {
	if len(words) > 1 && (words[0] == "leme" || words[0] == "kubectl") {
		return words[1:]
	}
	return words
}

// readsPipe reports whether a command after a pipe is Leme's: it reads objects with -f -.
func readsPipe(words []string) bool {
	for i, w := range words {
		if w == "-f-" || w == "--filename=-" || w == "-f=-" {
			return true
		}
		if w == "-" && i > 0 && slices.Contains([]string{"-f", "--filename"}, words[i-1]) {
			return true
		}
	}
	return false
}
