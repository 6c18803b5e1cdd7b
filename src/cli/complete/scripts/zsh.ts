/** Completion in zsh, as a file in `fpath` or by `eval`. */

/** The script. */
export const ZSH = `#compdef datumctl
# Completion of datumctl for zsh.

_datumctl() {
  local answer first line word shown
  local -a lines more closed closedshown open openshown list expl
  answer=$(print -rn -- "\${(j: :)words[1,CURRENT-1]} $QIPREFIX$IPREFIX$PREFIX" |
    command datumctl __complete zsh 2>/dev/null)
  lines=("\${(@f)answer}")
  first=\${lines[1]}
  shift lines
  case $first in
    words | open)
      for line in "\${lines[@]}"; do
        word=\${\${line#*$'\\t'}%%$'\\t'*}
        shown=\${line##*$'\\t'}
        [[ $shown == "$word" ]] || list=(-l)
        if [[ $line == .* ]]; then
          closed+=("$word")
          closedshown+=("$shown")
        else
          open+=("$word")
          openshown+=("$shown")
        fi
      done
      _wanted datumctl expl datumctl _datumctl_add && return 0
      return 1
      ;;
    file*)
      ((\${first#* } == 0)) || compset -p \${first#* }
      _files
      ;;
    folder*)
      ((\${first#* } == 0)) || compset -p \${first#* }
      _files -/
      ;;
    program*)
      ((\${first#* } == 0)) || compset -p \${first#* }
      _command_names -e
      ;;
    line)
      local -i at=\${words[(i)--]}
      shift $at words
      ((CURRENT -= at))
      _normal
      ;;
  esac
}

# Adds the words. A blank follows each word that is complete.
_datumctl_add() {
  local -i added=1
  ((\${#closed} == 0)) || { compadd "$@" "\${list[@]}" -d closedshown -a closed && added=0; }
  ((\${#open} == 0)) || { compadd "$@" "\${list[@]}" -S '' -d openshown -a open && added=0; }
  return added
}

if [[ \${funcstack[1]-} == _datumctl ]]; then
  _datumctl "$@"
else
  # Without the completion system there is nothing to tell; it is begun without a file of its own.
  (($+functions[compdef])) || { autoload -Uz compinit && compinit -i -D; }
  compdef _datumctl datumctl
fi
`;
