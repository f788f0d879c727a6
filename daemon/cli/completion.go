package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcapdir/daemon/config"
)

const completionHelp = `Print a script that has a shell complete commands, options, keys of the
configuration and paths.

For the shell that is running (bash needs the package bash-completion, zsh its compinit):

  bash:  source <(pcapdird completion bash)
  zsh:   source <(pcapdird completion zsh)
  fish:  pcapdird completion fish | source

For good, where shells look for it:

  bash:  pcapdird completion bash > /usr/share/bash-completion/completions/pcapdird
  zsh:   pcapdird completion zsh > /usr/share/zsh/vendor-completions/_pcapdird
  fish:  pcapdird completion fish > /usr/share/fish/vendor_completions.d/pcapdird.fish`

var shells = []string{"bash", "zsh", "fish"}

func newCompletion(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:     "completion bash|zsh|fish",
		Short:   "print a completion script for a shell",
		Long:    completionHelp,
		Example: "  source <(pcapdird completion bash)",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return errors.New("name one shell: bash, zsh or fish")
			}
			return nil
		},
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(s.Out, true)
			case "zsh":
				return c.Root().GenZshCompletion(s.Out)
			default:
				return c.Root().GenFishCompletion(s.Out, true)
			}
		},
	}
}

// completeSet offers the keys that --set knows, with what they are for.
func completeSet(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []cobra.Completion
	for _, k := range config.Keys() {
		if strings.HasPrefix(k.Name, word) {
			all = append(all, cobra.CompletionWithDesc(k.Name+"=", k.Doc))
		}
	}
	return all, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
