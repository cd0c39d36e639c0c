package command

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/annotate"
	"k8s.io/kubectl/pkg/cmd/apiresources"
	"k8s.io/kubectl/pkg/cmd/apply"
	"k8s.io/kubectl/pkg/cmd/attach"
	"k8s.io/kubectl/pkg/cmd/auth"
	"k8s.io/kubectl/pkg/cmd/autoscale"
	"k8s.io/kubectl/pkg/cmd/certificates"
	"k8s.io/kubectl/pkg/cmd/cp"
	"k8s.io/kubectl/pkg/cmd/create"
	"k8s.io/kubectl/pkg/cmd/debug"
	"k8s.io/kubectl/pkg/cmd/delete"
	"k8s.io/kubectl/pkg/cmd/diff"
	"k8s.io/kubectl/pkg/cmd/drain"
	"k8s.io/kubectl/pkg/cmd/edit"
	"k8s.io/kubectl/pkg/cmd/events"
	"k8s.io/kubectl/pkg/cmd/exec"
	"k8s.io/kubectl/pkg/cmd/explain"
	"k8s.io/kubectl/pkg/cmd/expose"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/cmd/kustomize"
	"k8s.io/kubectl/pkg/cmd/label"
	"k8s.io/kubectl/pkg/cmd/logs"
	"k8s.io/kubectl/pkg/cmd/options"
	"k8s.io/kubectl/pkg/cmd/patch"
	"k8s.io/kubectl/pkg/cmd/portforward"
	"k8s.io/kubectl/pkg/cmd/replace"
	"k8s.io/kubectl/pkg/cmd/rollout"
	"k8s.io/kubectl/pkg/cmd/run"
	"k8s.io/kubectl/pkg/cmd/scale"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/cmd/taint"
	"k8s.io/kubectl/pkg/cmd/top"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/cmd/wait"

	_ "a.leme/english" // before anything of kubectl's is initialised
)

// The groups of the help, in its order.
const (
	GroupCluster = "The cluster"
	GroupSee     = "See what runs"
	GroupChange  = "Change what runs"
	GroupInside  = "Look and step inside"
	GroupNodes   = "Look after nodes"
	GroupImages  = "Images"
	GroupShell   = "The shell and its settings"
	groupHidden  = ""
)

func groups() []string {
	return []string{GroupCluster, GroupSee, GroupChange, GroupInside, GroupNodes, GroupImages, GroupShell}
}

// Entry is one command of the list.
type Entry struct {
	Name    string
	Aliases []string
	Group   string
	Mode    Rule // where the prompt runs it
	New     func(Env) *cobra.Command
}

// List is the commands, in the order of the help.
type List []Entry

// Commands returns every command. To add one, write its constructor and add its line.
func Commands(parts Parts) List {
	all := List{
		{"up", nil, GroupCluster, child, part(parts.Up)},
		{"down", nil, GroupCluster, child, part(parts.Down)},
		{"cluster-info", nil, GroupCluster, childFor("dump"), newClusterInfo},
		{"version", nil, GroupCluster, inProcess, newVersion},
		{"proxy", nil, GroupCluster, child, newProxy},
		{"token", nil, GroupCluster, inProcess, part(parts.Token)},
		{"server", nil, GroupCluster, child, part(parts.Server)},
		{"agent", nil, GroupCluster, child, part(parts.Agent)},

		{"get", nil, GroupSee, childWith("watch", "watch-only"), kubectlNamed(get.NewCmdGet)},
		{"describe", nil, GroupSee, inProcess, newDescribe},
		{"events", nil, GroupSee, childWith("watch"), kubectlGetter(events.NewCmdEvents)},
		{"logs", []string{"log"}, GroupSee, childWith("follow"), kubectl(logs.NewCmdLogs)},
		{"top", nil, GroupSee, inProcess, kubectl(top.NewCmdTop)},
		{"explain", nil, GroupSee, inProcess, kubectlNamed(explain.NewCmdExplain)},
		{"api-resources", nil, GroupSee, inProcess, kubectlGetter(apiresources.NewCmdAPIResources)},
		{"api-versions", nil, GroupSee, inProcess, kubectlGetter(apiresources.NewCmdAPIVersions)},

		{"apply", nil, GroupChange, childWith("wait", "prune", "force"), kubectlNamed(apply.NewCmdApply)},
		{"create", nil, GroupChange, childWith("edit"), kubectl(create.NewCmdCreate)},
		{"run", nil, GroupChange, child, kubectl(run.NewCmdRun)},
		{"edit", nil, GroupChange, child, kubectl(edit.NewCmdEdit)},
		{"delete", nil, GroupChange, child, kubectl(delete.NewCmdDelete)},
		{"scale", nil, GroupChange, childWith("timeout"), kubectl(scale.NewCmdScale)},
		{"rollout", nil, GroupChange, childFor("status"), kubectlNamed(rollout.NewCmdRollout)},
		{"autoscale", nil, GroupChange, inProcess, kubectl(autoscale.NewCmdAutoscale)},
		{"expose", nil, GroupChange, inProcess, kubectl(expose.NewCmdExposeService)},
		{"set", nil, GroupChange, inProcess, kubectl(set.NewCmdSet)},
		{"label", nil, GroupChange, inProcess, kubectl(label.NewCmdLabel)},
		{"annotate", nil, GroupChange, inProcess, kubectlNamed(annotate.NewCmdAnnotate)},
		{"patch", nil, GroupChange, inProcess, kubectl(patch.NewCmdPatch)},
		{"replace", nil, GroupChange, childWith("force"), kubectl(replace.NewCmdReplace)},
		{"diff", nil, GroupChange, child, kubectl(diff.NewCmdDiff)},
		{"wait", nil, GroupChange, child, kubectlGetter(wait.NewCmdWait)},
		{"kustomize", nil, GroupChange, child, newKustomize},

		{"exec", nil, GroupInside, child, kubectl(exec.NewCmdExec)},
		{"attach", nil, GroupInside, child, kubectl(attach.NewCmdAttach)},
		{"debug", nil, GroupInside, child, kubectlGetter(debug.NewCmdDebug)},
		{"port-forward", nil, GroupInside, child, kubectl(portforward.NewCmdPortForward)},
		{"cp", nil, GroupInside, child, kubectl(cp.NewCmdCp)},

		{"cordon", nil, GroupNodes, inProcess, kubectl(drain.NewCmdCordon)},
		{"uncordon", nil, GroupNodes, inProcess, kubectl(drain.NewCmdUncordon)},
		{"drain", nil, GroupNodes, child, kubectl(drain.NewCmdDrain)},
		{"taint", nil, GroupNodes, inProcess, kubectl(taint.NewCmdTaint)},
		{"scheduler", nil, GroupNodes, inProcess, kubectl(NewCmdScheduler)},
		{"certificate", nil, GroupNodes, inProcess, kubectlGetter(certificates.NewCmdCertificate)},

		{"image", []string{"images"}, GroupImages, childFor("push"), kubectl(NewCmdImage)},

		{"use", nil, GroupShell, inProcess, newUse},
		{"history", nil, GroupShell, inProcess, newHistory},
		{"exit", []string{"quit"}, GroupShell, inProcess, newExit},
		{"config", nil, GroupShell, inProcess, newConfig},
		{"auth", nil, GroupShell, child, kubectl(auth.NewCmdAuth)},
		{"completion", nil, GroupShell, inProcess, part(parts.Completion)},
		{"help", nil, GroupShell, inProcess, newHelp},
		{"options", nil, groupHidden, inProcess, newOptions},
	}
	return all.present()
}

// present leaves out the entries whose part was not handed in.
func (l List) present() List {
	var kept List
	for _, e := range l {
		if e.New != nil {
			kept = append(kept, e)
		}
	}
	return kept
}

// Find returns the entry with this name or alias.
func (l List) Find(name string) (Entry, bool) {
	for _, e := range l {
		if e.Name == name {
			return e, true
		}
		for _, a := range e.Aliases {
			if a == name {
				return e, true
			}
		}
	}
	return Entry{}, false
}

// kubectl, kubectlNamed and kubectlGetter adapt the three shapes of kubectl's constructors.

func kubectl(c func(cmdutil.Factory, genericiooptions.IOStreams) *cobra.Command) func(Env) *cobra.Command {
	return func(e Env) *cobra.Command { return c(e.Factory, e.Streams) }
}

func kubectlNamed(c func(string, cmdutil.Factory, genericiooptions.IOStreams) *cobra.Command) func(Env) *cobra.Command {
	return func(e Env) *cobra.Command { return c(program, e.Factory, e.Streams) }
}

func kubectlGetter(c func(genericclioptions.RESTClientGetter, genericiooptions.IOStreams) *cobra.Command) func(Env) *cobra.Command {
	return func(e Env) *cobra.Command { return c(e.Factory, e.Streams) }
}

func part(c Constructor) func(Env) *cobra.Command {
	if c == nil {
		return nil
	}
	return func(e Env) *cobra.Command { return c(e.Streams) }
}

func newKustomize(e Env) *cobra.Command { return kustomize.NewCmdKustomize(e.Streams) }
func newOptions(e Env) *cobra.Command   { return options.NewCmdOptions(e.Streams.Out) }
