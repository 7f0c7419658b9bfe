/* The Node-API idioms of js.h. */
#include "js.h"

void js_arguments(napi_env env, napi_callback_info info, napi_value argv[MAX_ARGUMENTS])
{
	size_t count = MAX_ARGUMENTS;

	/* Node-API fills the rest with undefined. */
	napi_get_cb_info(env, info, &count, argv, NULL, NULL);
}

int64_t js_to_int(napi_env env, napi_value value, int64_t otherwise)
{
	int64_t number;

	return napi_get_value_int64(env, value, &number) == napi_ok ? number : otherwise;
}

bool js_to_bool(napi_env env, napi_value value, bool otherwise)
{
	bool truth;

	return napi_get_value_bool(env, value, &truth) == napi_ok ? truth : otherwise;
}

size_t js_to_text(napi_env env, napi_value value, char *text, size_t size)
{
	size_t length = 0;

	if (napi_get_value_string_utf8(env, value, text, size, &length) != napi_ok) {
		text[0] = '\0';
		return 0;
	}
	return length;
}

napi_value js_get(napi_env env, napi_value object, const char *name)
{
	napi_value value;

	if (napi_get_named_property(env, object, name, &value) != napi_ok)
		return js_undefined(env);
	return value;
}

int64_t js_get_int(napi_env env, napi_value object, const char *name, int64_t otherwise)
{
	return js_to_int(env, js_get(env, object, name), otherwise);
}

bool js_get_bool(napi_env env, napi_value object, const char *name, bool otherwise)
{
	return js_to_bool(env, js_get(env, object, name), otherwise);
}

uint32_t js_array_length(napi_env env, napi_value array)
{
	uint32_t length;

	return napi_get_array_length(env, array, &length) == napi_ok ? length : 0;
}

napi_value js_element(napi_env env, napi_value array, uint32_t index)
{
	napi_value value;

	if (napi_get_element(env, array, index, &value) != napi_ok)
		return js_undefined(env);
	return value;
}

napi_value js_undefined(napi_env env)
{
	napi_value value;

	napi_get_undefined(env, &value);
	return value;
}

napi_value js_number(napi_env env, double number)
{
	napi_value value;

	napi_create_double(env, number, &value);
	return value;
}

napi_value js_text(napi_env env, const char *text)
{
	napi_value value;

	napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
	return value;
}

napi_value js_object(napi_env env)
{
	napi_value value;

	napi_create_object(env, &value);
	return value;
}

napi_value js_array(napi_env env)
{
	napi_value value;

	napi_create_array(env, &value);
	return value;
}

void js_set(napi_env env, napi_value object, const char *name, napi_value value)
{
	napi_set_named_property(env, object, name, value);
}

void js_set_number(napi_env env, napi_value object, const char *name, double number)
{
	js_set(env, object, name, js_number(env, number));
}

void js_set_bool(napi_env env, napi_value object, const char *name, bool truth)
{
	napi_value value;

	napi_get_boolean(env, truth, &value);
	js_set(env, object, name, value);
}

void js_set_text(napi_env env, napi_value object, const char *name, const char *text)
{
	js_set(env, object, name, js_text(env, text));
}

void js_push(napi_env env, napi_value array, napi_value value)
{
	napi_set_element(env, array, js_array_length(env, array), value);
}
