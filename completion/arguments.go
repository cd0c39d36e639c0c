package completion

import (
	"slices"
	"strings"
)

// completer gives the candidates for one place on the line.
type completer func(*cursor) []Candidate

// argumentsOf is the visible list of what the arguments of each command are.
func argumentsOf(path string) completer {
	switch path {
	case "get", "describe", "delete", "edit", "label", "annotate", "patch", "wait", "expose":
		return typesThenNames
	case "scale", "autoscale":
		return scalable
	case "explain":
		return explained
	case "logs", "exec", "attach", "port-forward", "debug":
		return firstOnly(podsOrWorkloads)
	case "top pod", "scheduler explain":
		return firstOnly(objects("pods"))
	case "cp":
		return podsOrWorkloads
	case "rollout status", "rollout history", "rollout undo", "rollout restart", "rollout pause", "rollout resume":
		return rollouts
	case "set image":
		return containerImages
	case "image inspect", "image pull":
		return firstOnly(images)
	case "image rm", "image copy":
		return images
	case "image ls":
		return repositories
	case "image tags":
		return firstOnly(repositories)
	case "set env", "set resources", "set serviceaccount":
		return firstOnly(workloads)
	case "cordon", "uncordon", "drain":
		return objects("nodes")
	case "certificate approve", "certificate deny":
		return objects("certificatesigningrequests")
	case "top node":
		return firstOnly(objects("nodes"))
	case "taint":
		return nodesWithType
	case "use":
		return used
	case "config use-context", "config delete-context", "config rename-context":
		return firstOnly(contexts)
	case "help":
		return commands
	case "completion":
		return firstOnly(words("bash", "zsh", "fish", "powershell"))
	}
	return nil
}

// valuesOf is the visible list of what flags take. A flag means the same on every command unless it is named with one.
func valuesOf(path, flag string) completer {
	switch path + " --" + flag {
	case "patch --type":
		return words("strategic", "merge", "json")
	case "run --restart":
		return words("Always", "OnFailure", "Never")
	case "get --output":
		return words("json", "yaml", "wide", "name", "jsonpath=", "custom-columns=", "go-template=")
	case "scheduler explain --output":
		return words("json", "yaml", "wide")
	case "wait --for":
		return words("delete", "create", "condition=", "jsonpath=")
	}
	switch flag {
	case "namespace":
		return objects("namespaces")
	case "context":
		return contexts
	case "container":
		return containers
	case "output":
		return words("json", "yaml", "name", "wide")
	case "dry-run":
		return words("client", "server", "none")
	case "cascade":
		return words("background", "foreground", "orphan")
	case "validate":
		return words("strict", "warn", "ignore")
	case "pod-network":
		return words("bridge", "netns", "auto")
	case "image-pull-policy":
		return words("Always", "IfNotPresent", "Never")
	case "sort-by":
		return words(".metadata.name", ".metadata.creationTimestamp", ".status.startTime")
	}
	return nil
}

// firstOnly completes the first argument and leaves the rest alone.
func firstOnly(next completer) completer {
	return func(c *cursor) []Candidate {
		if len(c.args) > 0 {
			return nil
		}
		return next(c)
	}
}

func words(all ...string) completer {
	return func(c *cursor) []Candidate {
		var candidates []Candidate
		for _, w := range all {
			candidates = append(candidates, Candidate{Text: w, NoSpace: strings.HasSuffix(w, "=")})
		}
		return match(c.word, candidates)
	}
}

func commands(c *cursor) []Candidate {
	of := c.root
	for _, name := range c.args {
		if of = of.sub(name); of == nil {
			return nil
		}
	}
	at := *c
	at.command = of
	return match(c.word, at.commandNames())
}

// typesThenNames is TYPE[,TYPE…] NAME…, or TYPE/NAME….
func typesThenNames(c *cursor) []Candidate {
	if typed, _, ok := strings.Cut(c.word, "/"); ok {
		return c.slashNames(typed)
	}
	if len(c.args) == 0 && c.flags["filename"] == "" {
		return c.typeNames(func(Type) bool { return true })
	}
	if strings.Contains(c.args[0], "/") {
		return c.typeNames(func(Type) bool { return true })
	}
	return c.names(c.args[0])
}

func scalable(c *cursor) []Candidate {
	return c.typesOrNames(func(t Type) bool { return t.Scalable })
}

// rollouts are the kinds that have one.
func rollouts(c *cursor) []Candidate {
	return c.typesOrNames(func(t Type) bool {
		return t.Group == "apps" && slices.Contains([]string{"deployments", "daemonsets", "statefulsets"}, t.Resource)
	})
}

func workloads(c *cursor) []Candidate {
	return c.typesOrNames(func(t Type) bool { return t.Scalable || t.Resource == "pods" || t.Resource == "daemonsets" })
}

// typesOrNames is TYPE/NAME or TYPE NAME, of some types.
func (c *cursor) typesOrNames(keep func(Type) bool) []Candidate {
	typed, _, slash := strings.Cut(c.word, "/")
	switch {
	case slash:
		return c.slashNames(typed)
	case len(c.args) > 0:
		return c.names(c.args[0])
	}
	types := c.typeNames(keep)
	for i := range types {
		types[i].Text += "/"
		types[i].NoSpace = true
	}
	return types
}

func podsOrWorkloads(c *cursor) []Candidate {
	if typed, _, ok := strings.Cut(c.word, "/"); ok {
		return c.slashNames(typed)
	}
	return append(objects("pods")(c), c.typesOrNames(func(t Type) bool { return t.Scalable && t.Group == "apps" })...)
}

func nodesWithType(c *cursor) []Candidate {
	switch {
	case len(c.args) == 0:
		return words("node", "nodes")(c)
	case len(c.args) == 1:
		return objects("nodes")(c)
	}
	return nil
}

func explained(c *cursor) []Candidate {
	if len(c.args) > 0 {
		return nil
	}
	return c.typeNames(func(Type) bool { return true })
}

// used is NAMESPACE, or "ctx NAME", or "-".
func used(c *cursor) []Candidate {
	switch {
	case len(c.args) == 0:
		switches := match(c.word, []Candidate{{Text: "ctx", Description: "switch the context"}, {Text: "ns", Description: "switch the namespace"}, {Text: "-", Description: "back to the one before"}})
		return append(objects("namespaces")(c), switches...)
	case c.args[0] == "ctx":
		return contexts(c)
	case c.args[0] == "ns":
		return objects("namespaces")(c)
	}
	return nil
}

func contexts(c *cursor) []Candidate { return match(c.word, listed(c.sources.Contexts(c.where))) }

// containers of the pod that the line names.
func containers(c *cursor) []Candidate {
	if len(c.args) == 0 {
		return nil
	}
	return match(c.word, listed(c.sources.Containers(c.where, c.args[0])))
}

// objects are the names of one built-in type.
func objects(resource string) completer {
	return func(c *cursor) []Candidate { return c.names(resource) }
}

// names are those of a type that are not on the line yet. A type may be a comma list.
func (c *cursor) names(typed string) []Candidate {
	given := c.args[min(1, len(c.args)):]
	return pick(c.word, func(yield func(Candidate) bool) {
		for _, name := range strings.Split(typed, ",") {
			t, ok := c.typeNamed(name)
			if !ok {
				continue
			}
			for _, o := range c.sources.Objects(c.where, t) {
				if !slices.Contains(given, o.Name) && !yield(Candidate{Text: o.Name, Description: o.Description}) {
					return
				}
			}
		}
	})
}

func (c *cursor) slashNames(typed string) []Candidate {
	at := *c
	at.word, at.args = strings.TrimPrefix(c.word, typed+"/"), nil
	return prefixed(typed+"/", at.names(typed))
}

// typeNamed finds a type by any of its names: pods, pod, po, deployments.apps, deployments.v1.apps.
func (c *cursor) typeNamed(name string) (Type, bool) {
	head, group, _ := strings.Cut(strings.ToLower(name), ".")
	for _, t := range c.sources.Types(c.where) {
		if head != t.Resource && head != t.Singular && !slices.Contains(t.Short, head) && head != strings.ToLower(t.Kind) {
			continue
		}
		if group == "" || group == t.Group || strings.TrimSuffix(group, ".") == strings.TrimSuffix(t.Version+"."+t.Group, ".") {
			return t, true
		}
	}
	return Type{}, false
}

// typeNames completes the last of a comma list of types. Short names stand beside what they mean.
func (c *cursor) typeNames(keep func(Type) bool) []Candidate {
	before, word := "", c.word
	if i := strings.LastIndexByte(c.word, ','); i >= 0 {
		before, word = c.word[:i+1], c.word[i+1:]
	}
	var all []Candidate
	seen := map[string]bool{}
	for _, t := range c.sources.Types(c.where) {
		if !keep(t) {
			continue
		}
		name := t.Resource
		if seen[name] {
			name += "." + t.Group
		}
		seen[name] = true
		all = append(all, Candidate{Text: name, Description: describe(t)})
		if slices.Contains(t.Short, word) && word != "" {
			all = append(all, Candidate{Text: word, Description: t.Resource})
		}
	}
	return prefixed(before, match(word, all))
}

func describe(t Type) string {
	text := t.Kind
	if len(t.Short) > 0 {
		text += " (" + strings.Join(t.Short, ", ") + ")"
	}
	return text
}

func listed(objects []Object) []Candidate {
	candidates := make([]Candidate, len(objects))
	for i, o := range objects {
		candidates[i] = Candidate{Text: o.Name, Description: o.Description}
	}
	return candidates
}
