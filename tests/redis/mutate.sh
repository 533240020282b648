#!/usr/bin/env bash
# Gives the tests wrong scripts, one mistake of mutations.txt at a time. A mistake that no test notices fails.
#     mutate.sh LUA_FOLDER MUTATIONS LEDGER_TEST MODEL_TEST
# MUTATE_WITH=model: the model test alone. MUTATE_JOBS: so many at a time.
set -euo pipefail
export LC_ALL=C # matching text is many times faster
lua=$1 mutations=$2 ledger_test=$3 model_test=$4
jobs=${MUTATE_JOBS:-2}
broken_scripts=3 # the tests' exit status when the server refuses a script
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints which test notices the scripts in folder $1, "broken" or "nothing".
judge() {
    local status=0
    # Some mistakes make the ledger ask for ever.
    export LEDGER_LUA_DIR=$1 MODEL_SEED=7 MODEL_STEPS=1500 FIXTURE_PATIENCE_S=10
    if [[ ${MUTATE_WITH:-} != model ]]; then
        "$ledger_test" >"$1/ledger.txt" 2>&1 || status=$?
        if ((status == broken_scripts)); then echo broken && return; fi
        if ((status != 0)); then echo ledger_test && return; fi
    fi
    "$model_test" >"$1/model.txt" 2>&1 || status=$?
    if ((status == broken_scripts)); then echo broken && return; fi
    if ((status != 0)); then echo model_test && return; fi
    echo nothing
}

count=0
start_mutant() { # file, text, replacement
    local file=$1 text=$2 replacement=$3
    count=$((count + 1))
    local folder=$work/$count
    cp -r "$lua" "$folder"
    local source rest
    source=$(<"$lua/$file")
    rest=${source#*"$text"}
    if [[ -z $text || $rest == "$source" || $rest == *"$text"* ]]; then
        echo "$mutations: this must stand in $file exactly once:" >&2
        echo "$text" >&2
        exit 1
    fi
    printf '%s\n' "${source%%"$text"*}$replacement$rest" >"$folder/$file"
    printf '%s\n' "$file" "$text" "->" "$replacement" >"$folder/mutation.txt"
    while (($(jobs -rp | wc -l) >= jobs)); do wait -n; done
    judge "$folder" >"$folder/verdict.txt" &
}

cp -r "$lua" "$work/0"
if [[ $(judge "$work/0") != nothing ]]; then
    echo "the tests fail with the right scripts already" >&2
    cat "$work"/0/*.txt >&2
    exit 1
fi

file='' text='' replacement='' part=''
finish_block() {
    if [[ -n $file ]]; then start_mutant "$file" "$text" "$replacement"; fi
    file='' text='' replacement='' part=''
}
while IFS= read -r line || [[ -n $line ]]; do
    case $line in
    '#'*) ;;
    '') finish_block ;;
    '- '*) text+="${part:+$'\n'}${line#- }" part=- ;;
    '+'*)
        [[ $part == + ]] && replacement+=$'\n'
        line=${line#+}
        replacement+=${line# } part=+
        ;;
    *) file=$line ;;
    esac
done <"$mutations"
finish_block
wait

survivors=0
declare -A noticed=([ledger_test]=0 [model_test]=0)
for ((i = 1; i <= count; i++)); do
    verdict=$(<"$work/$i/verdict.txt")
    if [[ $verdict == *_test ]]; then
        noticed[$verdict]=$((noticed[$verdict] + 1))
    else
        survivors=$((survivors + 1))
        printf '%s notices:\n' "$verdict"
        sed 's/^/    /' "$work/$i/mutation.txt"
    fi
done
echo "$count mutants: ${noticed[ledger_test]} noticed by ledger_test, ${noticed[model_test]} more by model_test," \
    "$survivors by nothing"
((survivors == 0 && count > 0))
