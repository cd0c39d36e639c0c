package shell

import (
	"strings"
	"testing"

	"leme/shell/command"
	"leme/shell/line"
)

func TestPlanStep(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"get pods", "in process: get pods"},
		{"leme get pods", "in process: get pods"},
		{"kubectl get pods", "in process: get pods"},
		{"leme", "in process: leme"},
		{"watch", "children: watch"},
		{"get pods | grep x", "children: get pods, !grep x"},
		{"get pods | grep 'a b' | sort >f", "children: get pods, !grep 'a b' | sort >f"},
		{"get x -o yaml | sed s/a/b/ | apply -f -", "children: get x -o yaml, !sed s/a/b/, apply -f -"},
		{"get x | apply --filename=- | wc", "children: get x, apply --filename=-, !wc"},
		{"get x | diff - y", "children: get x, !diff - y"},
		{"!date | wc", "children: !date | wc"},
	} {
		steps, err := line.Parse(c.text, "")
		if err != nil {
			t.Fatal(err)
		}
		p := planStep(steps[0], func(words []string) command.Mode {
			if words[0] == "watch" {
				return command.Child
			}
			return command.InProcess
		})
		var names []string
		for _, s := range p.stages {
			names = append(names, name(s))
		}
		got := "children: " + strings.Join(names, ", ")
		if p.inProcess {
			got = "in process: " + strings.Join(names, ", ")
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestModes(t *testing.T) {
	for _, c := range []struct {
		words string
		want  command.Mode
	}{
		{"get pods", command.InProcess},
		{"get pods -w", command.Child},
		{"get pods --watch=false", command.InProcess},
		{"-n web get pods --watch", command.Child},
		{"logs x", command.InProcess},
		{"logs -f x", command.Child},
		{"exec -it x -- sh", command.Child},
		{"exec -h", command.InProcess},
		{"apply -f x.yaml", command.InProcess},
		{"apply -f -", command.Child},
		{"apply -k dir", command.Child},
		{"create -f -", command.Child},
		{"rollout status deploy/x", command.Child},
		{"rollout restart deploy/x", command.InProcess},
		{"delete pod x", command.Child},
		{"cluster-info", command.InProcess},
		{"cluster-info dump", command.Child},
		{"nothing", command.InProcess},
		{"get --nothing", command.InProcess},
	} {
		if got := command.ModeOf(strings.Fields(c.words), command.Options{}); got != c.want {
			t.Errorf("%s: got %d, want %d", c.words, got, c.want)
		}
	}
}

// name writes a stage as it is typed.
func name(s stage) string {
	if s.system != "" {
		return "!" + s.system
	}
	return strings.Join(s.words, " ")
}
