package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCheck(s Streams) *cobra.Command {
	var flags settings
	var dump bool
	c := &cobra.Command{
		Use:     "check [flags]",
		Short:   "check a configuration without starting anything",
		Long:    "Check a configuration and print every problem at once, each with its line.\nThe exit code is 0 when there is none, and 2 otherwise.",
		Example: "  pcapdird check --config /etc/pcapdir/pcapdir.toml\n  pcapdird check --dump > pcapdir.toml   # the defaults, commented",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := flags.load()
			if err != nil {
				return err
			}
			if dump {
				return cfg.Dump(s.Out)
			}
			_, err = fmt.Fprintln(s.Out, "configuration is good")
			return err
		},
	}
	flags.register(c)
	c.Flags().BoolVar(&dump, "dump", false, "print the effective configuration as commented TOML")
	return c
}
