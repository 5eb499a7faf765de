#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <thrum.h>
#include <unistd.h>
#include "tests/runner.h"

enum {
	PATIENCE_MS = 20000
};

/* What was seen of a process. */
struct seen {
	char out[1024];
	size_t size;
	int exits, closes, code, signal;
};

static struct seen watch(struct thrum_process *process)
{
	struct seen seen = { .code = -2 };
	struct thrum_process_event event;
	int status;

	while ((status = thrum_process_next(process, &event, PATIENCE_MS)) == 0) {
		ck_assert_int_eq(seen.closes, 0);
		if (event.kind == THRUM_PROCESS_OUTPUT && seen.size + event.size < sizeof seen.out) {
			memcpy(seen.out + seen.size, event.bytes, event.size);
			seen.size += event.size;
		}
		if (event.kind == THRUM_PROCESS_EXIT) {
			seen.code = event.code;
			seen.signal = event.signal;
		}
		seen.exits += event.kind == THRUM_PROCESS_EXIT;
		seen.closes += event.kind == THRUM_PROCESS_CLOSE;
	}
	ck_assert_int_eq(status, -EPIPE);
	ck_assert_int_eq(seen.exits, 1);
	ck_assert_int_eq(seen.closes, 1);
	return seen;
}

static struct thrum_process *spawn_shell(const char *script, const struct thrum_process_options *options)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct thrum_process *process = thrum_process_spawn(argv, options);

	ck_assert_ptr_nonnull(process);
	return process;
}

static unsigned count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

START_TEST(streams_are_pipes_and_each_end_is_told_once)
{
	struct thrum_process_options options = { .streams = { THRUM_PIPE, THRUM_PIPE, THRUM_PIPE } };
	struct thrum_process *process = spawn_shell("cat; echo to err >&2; exit 3", &options);
	unsigned before = count_descriptors();
	int in = thrum_process_take(process, 0);
	struct seen seen;

	ck_assert_int_eq(write(in, "some\n", 5), 5);
	close(in);
	ck_assert_int_eq(thrum_process_take(process, 0), -EBADF);
	seen = watch(process);
	ck_assert_int_eq(seen.code, 3);
	ck_assert_int_eq(seen.signal, 0);
	ck_assert_uint_eq(seen.size, strlen("some\nto err\n"));
	ck_assert_int_eq(kill(thrum_process_pid(process), 0), 0);
	thrum_process_destroy(process);
	ck_assert_uint_lt(count_descriptors(), before);
}
END_TEST

START_TEST(a_signal_that_kills_is_told)
{
	struct thrum_process *process = spawn_shell("exec sleep 1000", NULL);
	struct thrum_process_event event;
	struct seen seen;

	ck_assert_int_eq(thrum_process_next(process, &event, 0), -ETIMEDOUT);
	ck_assert_int_eq(thrum_process_kill(process, SIGUSR1), 0);
	seen = watch(process);
	ck_assert_int_eq(seen.code, -1);
	ck_assert_int_eq(seen.signal, SIGUSR1);
	thrum_process_destroy(process);
}
END_TEST

START_TEST(an_end_makes_the_descriptor_readable)
{
	struct thrum_process *process = spawn_shell(":", NULL);
	struct pollfd polled = { .fd = thrum_process_fd(process), .events = POLLIN };

	ck_assert_int_eq(poll(&polled, 1, PATIENCE_MS), 1);
	ck_assert_int_eq(watch(process).code, 0);
	thrum_process_destroy(process);
}
END_TEST

static void expect_refusal(const char *program, const struct thrum_process_options *options, int reason)
{
	const char *const argv[] = { program, NULL };
	unsigned before = count_descriptors();

	errno = 0;
	ck_assert_ptr_null(thrum_process_spawn(argv, options));
	ck_assert_int_eq(errno, reason);
	ck_assert_uint_eq(count_descriptors(), before);
}

START_TEST(what_cannot_be_started_says_why)
{
	struct thrum_process_options nowhere = { .folder = "/nowhere" }, wrong = { .streams = { (enum thrum_stream)9 } };
	struct thrum_process_options closed = { .streams = { THRUM_DESCRIPTOR }, .descriptors = { 9999 } };
	struct thrum_process_options piped = { .streams = { THRUM_PIPE, THRUM_PIPE, THRUM_PIPE }, .channel = 1 };

	expect_refusal("no-such-program-anywhere", NULL, ENOENT);
	expect_refusal("", NULL, ENOENT);
	expect_refusal("/", &piped, EACCES);
	expect_refusal("true", &nowhere, ENOENT);
	expect_refusal("true", &wrong, EINVAL);
	expect_refusal("true", &closed, EBADF);
	expect_refusal(NULL, NULL, EINVAL);
}
END_TEST

START_TEST(descriptors_are_put_where_they_belong)
{
	struct thrum_shared *shared = thrum_shared_create(1, 32);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), passed[] = { null, thrum_shared_fd(shared) };
	struct thrum_process_options options = { .streams = { THRUM_INHERIT, THRUM_PIPE }, .passed = passed, .passed_count = 2 };
	struct thrum_process *process = spawn_shell("readlink /proc/$$/fd/3; readlink /proc/$$/fd/4 | cut -c 1-19", &options);

	ck_assert_str_eq(watch(process).out, "/dev/null\n/memfd:thrum-shared\n");
	thrum_process_destroy(process);
	thrum_shared_close(shared);
	close(null);
}
END_TEST

START_TEST(the_environment_is_without_others_channels)
{
	struct thrum_process_options options = { .streams = { THRUM_INHERIT, THRUM_PIPE }, .folder = "/" };
	struct thrum_process *process;

	setenv("NODE_CHANNEL_FD", "7", 1);
	setenv("THRUM_CHANNEL_FD", "7", 1);
	setenv("NODE_UNIQUE_ID", "1", 1);
	setenv("MINE", "yes", 1);
	process = spawn_shell("echo $NODE_CHANNEL_FD$THRUM_CHANNEL_FD$NODE_UNIQUE_ID$MINE; pwd", &options);
	ck_assert_str_eq(watch(process).out, "yes\n/\n");
	thrum_process_destroy(process);
}
END_TEST

static struct thrum_channel *channel_of(struct thrum_process *process)
{
	struct thrum_channel *channel = thrum_channel_create(thrum_process_take(process, THRUM_CHANNEL_END));

	ck_assert_ptr_nonnull(channel);
	return channel;
}

static void expect_echo(struct thrum_process *process, struct thrum_channel *channel)
{
	char *reply;
	size_t size;
	double number = 0;

	ck_assert_int_eq(thrum_channel_request(channel, "{\"n\":42}", 8, &reply, &size, PATIENCE_MS), 0);
	ck_assert_int_eq(thrum_message_number(reply, size, "n", &number), 0);
	ck_assert_double_eq(number, 42);
	thrum_buffer_destroy(reply);
	thrum_channel_close(channel);
	ck_assert_int_eq(watch(process).code, 0);
	thrum_process_destroy(process);
}

START_TEST(a_child_answers_on_its_channel)
{
	struct thrum_process_options options = { .channel = 1 };
	struct thrum_process *process = spawn_shell("test $THRUM_CHANNEL_FD = 3; read -r line <&3; echo \"$line\" >&3", &options);

	expect_echo(process, channel_of(process));
}
END_TEST

START_TEST(a_node_child_answers_on_its_channel)
{
	const char *const argv[] = { "node", "-e", "process.on('message', (m) => process.send(m))", NULL };
	struct thrum_process_options options = { .channel = 1 };
	struct thrum_process *process = thrum_process_spawn(argv, &options);

	if (!process) { /* no node here */
		ck_assert_int_eq(errno, ENOENT);
		return;
	}
	expect_echo(process, channel_of(process));
}
END_TEST

START_TEST(a_group_goes_together)
{
	struct thrum_process_options options = { .streams = { THRUM_INHERIT, THRUM_PIPE }, .group = 1 };
	struct thrum_process *process = spawn_shell("sleep 1000 & echo $!; exit 0", &options);
	struct thrum_process_event event;
	struct seen seen;

	do
		ck_assert_int_eq(thrum_process_next(process, &event, PATIENCE_MS), 0);
	while (event.kind != THRUM_PROCESS_EXIT);
	/* It has ended; its child has not, and has its output. */
	ck_assert_int_eq(thrum_process_next(process, &event, 0) == 0 ? (int)event.kind : THRUM_PROCESS_OUTPUT, THRUM_PROCESS_OUTPUT);
	ck_assert_int_eq(thrum_process_kill(process, SIGKILL), 0);
	seen = (struct seen){ 0 };
	while (thrum_process_next(process, &event, PATIENCE_MS) == 0)
		seen.closes += event.kind == THRUM_PROCESS_CLOSE;
	ck_assert_int_eq(seen.closes, 1);
	thrum_process_destroy(process);
}
END_TEST

/* -- exec -- */

static void free_output(struct thrum_output *output)
{
	thrum_buffer_destroy(output->out);
	thrum_buffer_destroy(output->err);
}

START_TEST(a_command_of_the_shell_is_run)
{
	struct thrum_output output;

	ck_assert_int_eq(thrum_exec("echo out | tr a-z A-Z; echo err >&2; exit 4", NULL, &output), 0);
	ck_assert_str_eq(output.out, "OUT\n");
	ck_assert_str_eq(output.err, "err\n");
	ck_assert_uint_eq(output.out_size, 4);
	ck_assert_int_eq(output.code, 4);
	free_output(&output);
	ck_assert_int_eq(thrum_exec("kill -9 $$", NULL, &output), 0);
	ck_assert_int_eq(output.signal, SIGKILL);
	ck_assert_ptr_null(output.out);
}
END_TEST

START_TEST(arguments_are_no_commands)
{
	const char *const argv[] = { "printf", "%s\n", "$(id); `id` | cat > /tmp/x & \"'", "*", NULL };
	struct thrum_output output;

	ck_assert_int_eq(thrum_exec_file(argv, NULL, &output), 0);
	ck_assert_str_eq(output.out, "$(id); `id` | cat > /tmp/x & \"'\n*\n");
	free_output(&output);
}
END_TEST

START_TEST(a_text_that_names_no_interpreter_is_not_given_to_a_shell)
{
	char path[] = "/tmp/thrum-test-XXXXXX";
	const char *const argv[] = { path, NULL };
	struct thrum_output output;
	int file = mkstemp(path);

	ck_assert_int_eq(write(file, "echo shell\n", 11), 11);
	fchmod(file, 0700);
	close(file);
	ck_assert_int_eq(thrum_exec_file(argv, NULL, &output), -ENOEXEC);
	ck_assert_ptr_null(output.out);
	unlink(path);
}
END_TEST

START_TEST(output_has_a_bound)
{
	struct thrum_exec_options options = { .output_max = 10 };
	struct thrum_output output;

	ck_assert_int_eq(thrum_exec("while :; do echo 123456; done", &options, &output), -ENOBUFS);
	ck_assert_str_eq(output.out, "123456\n123");
	free_output(&output);
	ck_assert_int_eq(thrum_exec("head -c 1048576 /dev/zero", NULL, &output), 0);
	ck_assert_uint_eq(output.out_size, 1048576);
	free_output(&output);
	ck_assert_int_eq(thrum_exec("head -c 1048577 /dev/zero", NULL, &output), -ENOBUFS);
	ck_assert_uint_eq(output.out_size, 1048576);
	free_output(&output);
}
END_TEST

START_TEST(time_has_a_bound)
{
	struct thrum_exec_options options = { .timeout_ms = 200 };
	struct thrum_output output;

	ck_assert_int_eq(thrum_exec("echo begun; sleep 1000 & sleep 1000", &options, &output), -ETIMEDOUT);
	ck_assert_str_eq(output.out, "begun\n");
	free_output(&output);
}
END_TEST

Suite *process_suite(void)
{
	Suite *suite = suite_create("process");
	TCase *test_case = tcase_create("process");

	tcase_set_timeout(test_case, 60);
	tcase_add_test(test_case, streams_are_pipes_and_each_end_is_told_once);
	tcase_add_test(test_case, a_signal_that_kills_is_told);
	tcase_add_test(test_case, an_end_makes_the_descriptor_readable);
	tcase_add_test(test_case, what_cannot_be_started_says_why);
	tcase_add_test(test_case, descriptors_are_put_where_they_belong);
	tcase_add_test(test_case, the_environment_is_without_others_channels);
	tcase_add_test(test_case, a_child_answers_on_its_channel);
	tcase_add_test(test_case, a_node_child_answers_on_its_channel);
	tcase_add_test(test_case, a_group_goes_together);
	tcase_add_test(test_case, a_command_of_the_shell_is_run);
	tcase_add_test(test_case, arguments_are_no_commands);
	tcase_add_test(test_case, a_text_that_names_no_interpreter_is_not_given_to_a_shell);
	tcase_add_test(test_case, output_has_a_bound);
	tcase_add_test(test_case, time_has_a_bound);
	suite_add_tcase(suite, test_case);
	return suite;
}
