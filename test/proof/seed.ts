/** The seed of this run's choices: what AIO_DCA_PROOF_SEED says, else another one each time. */
export const seed = Number(process.env.AIO_DCA_PROOF_SEED ?? Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`proof: seed ${seed} (AIO_DCA_PROOF_SEED=${seed} repeats it)\n`);

/** AIO_DCA_PROOF=long asks for everything; else a proof keeps to what continuous integration has time for. */
export const long = process.env.AIO_DCA_PROOF === 'long';
